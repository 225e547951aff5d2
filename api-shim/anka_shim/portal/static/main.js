// @ts-check
import { shell } from "./components/shell.js";
import { App } from "./core/app.js";
import { listenToKeys } from "./core/keys.js";
import { views } from "./views/index.js";

const root = document.getElementById("app");
if (!root) throw new Error("index.html lacks #app");
root.replaceChildren(); // "Loading…"
const stream = new URL("/portal/v1/stream", location.href);
stream.protocol = location.protocol === "https:" ? "wss:" : "ws:";
const app = new App({ views, shell, root, stream: stream.href });
listenToKeys(app);
app.start();
