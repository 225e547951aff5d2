// @ts-check
/** What runs here. */
import { details } from "../components/text.js";
import { looks } from "../components/looks.js";
import { count } from "../core/format.js";

/** @type {import("../core/types").View} */
export default {
  name: "about",
  path: "about",
  title: () => "About",
  right: null,
  letter: "a",
  nav: { section: "Cloud", order: 90, icon: "about" },
  render(ctx) {
    const cloud = ctx.store.get("cloud", "cloud");
    return looks({
      state: ctx.store.state("cloud"),
      what: "the cloud",
      content: () => details([
        ["Version", cloud?.version],
        ["Namespace", cloud?.namespace],
        ["Replicas", cloud?.replicas ? `${cloud.replicas.reached} of ${count(cloud.replicas.total, "replica")} reached` : null],
        ["Registry", cloud?.registry?.url],
      ]),
    });
  },
  same: () => ({ kubectl: ["kubectl get anka -A"], curl: ['curl -s "$ANKA"/api/v1/status'] }),
};
