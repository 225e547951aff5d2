// @ts-check
/**
 * `<div ${cssVars({"--x": 3})}>`: custom properties through the object model. A style attribute would be refused by the
 * Content-Security-Policy.
 */
import { Directive, directive, PartType } from "../vendor/lit-html-3.3.3/directive.js";
import { noChange } from "../vendor/lit-html-3.3.3/lit-html.js";

class CssVars extends Directive {
  /** @param {import("../vendor/lit-html-3.3.3/directive.js").PartInfo} part */
  constructor(part) {
    super(part);
    if (part.type !== PartType.ELEMENT) throw new Error("cssVars stands in the tag itself");
    /** @type {Record<string, string>} */
    this.last = {};
  }

  /** @param {Record<string, string | number>} _vars */
  render(_vars) {
    return noChange;
  }

  /**
   * @param {import("../vendor/lit-html-3.3.3/lit-html.js").ElementPart} part
   * @param {[Record<string, string | number>]} args
   */
  update(part, [vars]) {
    const style = /** @type {HTMLElement} */ (part.element).style;
    for (const name of Object.keys(this.last)) {
      if (name in vars) continue;
      style.removeProperty(name);
      delete this.last[name];
    }
    for (const [name, value] of Object.entries(vars)) {
      const text = String(value);
      if (this.last[name] === text) continue;
      style.setProperty(name, text);
      this.last[name] = text;
    }
    return noChange;
  }
}

export const cssVars = directive(CssVars);
