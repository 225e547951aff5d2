/** What the type checker does not see. `anka-dev portal check` runs it. */

const STYLE = "a style attribute is refused by the Content-Security-Policy: use a class or cssVars";
const MARKUP = "texts of people, VMs, Macs and the registry are never markup";

const browser = [
  "AbortController", "AbortSignal", "Blob", "CSS", "CustomEvent", "DOMException", "Event", "File", "FileReader",
  "FormData", "HTMLButtonElement", "HTMLDetailsElement", "HTMLDialogElement", "HTMLElement", "HTMLFormElement",
  "HTMLInputElement", "HTMLSelectElement", "HTMLTextAreaElement", "Element", "IntersectionObserver", "KeyboardEvent",
  "MouseEvent", "Node", "ResizeObserver", "URL", "URLSearchParams", "TextDecoder", "TextEncoder", "WebSocket", "atob",
  "btoa", "clearInterval", "clearTimeout", "console", "crypto", "document", "fetch", "getSelection", "history",
  "localStorage", "location", "matchMedia", "navigator", "performance", "queueMicrotask", "requestAnimationFrame",
  "sessionStorage", "setInterval", "setTimeout", "structuredClone", "window",
];

export default [
  { ignores: ["**/vendor/**"] },
  {
    files: ["**/*.js", "**/*.mjs"],
    languageOptions: {
      ecmaVersion: 2024,
      sourceType: "module",
      globals: Object.fromEntries(browser.map((name) => [name, "readonly"])),
    },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "array-callback-return": "error",
      "consistent-return": "off",
      "eqeqeq": ["error", "always", { null: "ignore" }],
      "no-cond-assign": "error",
      "no-constant-condition": "error",
      "no-debugger": "error",
      "no-dupe-keys": "error",
      "no-duplicate-imports": "error",
      "no-eval": "error",
      "no-fallthrough": "error",
      "no-implied-eval": "error",
      "no-new-func": "error",
      "no-script-url": "error",
      "no-self-compare": "error",
      "no-undef": "error",
      "no-unreachable": "error",
      "no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "no-use-before-define": ["error", { functions: false, classes: false, variables: false }],
      "no-var": "error",
      "no-console": "error",
      "prefer-const": "error",
      "max-lines": ["error", { max: 300 }],
      "no-restricted-imports": ["error", { patterns: [
        { group: ["**/unsafe-html*", "**/unsafe-svg*", "**/static.js"], message: MARKUP },
      ] }],
      "no-restricted-properties": ["error",
        { property: "innerHTML", message: MARKUP }, { property: "outerHTML", message: MARKUP },
        { property: "insertAdjacentHTML", message: MARKUP }, { property: "srcdoc", message: MARKUP },
        { object: "document", property: "write", message: MARKUP },
      ],
      "no-restricted-syntax": ["error",
        { selector: "TemplateElement[value.raw=/\\sstyle=/]", message: STYLE },
        { selector: "CallExpression[callee.property.name='setAttribute'][arguments.0.value='style']", message: STYLE },
      ],
    },
  },
  {
    files: ["**/*.mjs"],
    languageOptions: { globals: { Buffer: "readonly", process: "readonly", setImmediate: "readonly" } },
    rules: { "no-script-url": "off" },
  },
  {
    // Only one module names the library and its version.
    files: ["**/components/**", "**/views/**"],
    rules: { "no-restricted-imports": ["error", { patterns: [
      { group: ["**/vendor/**"], message: "import from core/html.js" },
      { group: ["**/unsafe-html*", "**/unsafe-svg*"], message: MARKUP },
    ] }] },
  },
];
