// @ts-check
/**
 * Actions on many rows: they return at once, and each row tells its result.
 *
 * @typedef {import("./types").Task} Task
 */
const AT_ONCE = 4;
const KEPT = 20;

/** @typedef {import("./types").Tasks} Tasks */
/** @implements {Tasks} */
export class TaskList {
  /** @param {() => void} update @param {() => number} now */
  constructor(update, now = Date.now) {
    this.update = update;
    this.now = now;
    /** @type {Task[]} newest first */
    this.list = [];
    this.isOpen = false;
    this.last = 0;
  }

  /** @param {boolean} [open] */
  toggle(open = !this.isOpen) {
    this.isOpen = open;
    this.update();
  }

  /** Forget what has ended. */
  clear() {
    this.list = this.list.filter(isRunning);
    if (!this.list.length) this.isOpen = false;
    this.update();
  }

  /**
   * @template {{id: string, label: string}} R
   * @param {{title: string, rows: R[], each: (row: R) => Promise<string | void>}} work
   * @returns {Promise<Task>}
   */
  async run({ title, rows, each }) {
    /** @type {Task} */
    const task = {
      id: (this.last += 1),
      title,
      started: this.now(),
      rows: rows.map(({ id, label }) => ({ id, label, state: "waiting", text: "" })),
    };
    this.list = [task, ...this.list].slice(0, KEPT);
    this.toggle(true);
    const left = rows.map((row, i) => ({ row, shown: /** @type {import("./types").TaskRow} */ (task.rows[i]) }));
    const work = async () => {
      for (let next = left.shift(); next; next = left.shift()) {
        next.shown.state = "running";
        this.update();
        try {
          next.shown.text = (await each(next.row)) ?? "done";
          next.shown.state = "done";
        } catch (error) {
          next.shown.text = error instanceof Error ? error.message : String(error);
          next.shown.state = "failed";
        }
        this.update();
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return task;
  }
}

/** @param {Task} task */
export function isRunning(task) {
  return task.rows.some(({ state }) => state === "waiting" || state === "running");
}

/** @param {Task} task */
export function failures(task) {
  return task.rows.filter(({ state }) => state === "failed").length;
}
