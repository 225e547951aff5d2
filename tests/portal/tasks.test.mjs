import assert from "node:assert/strict";
import { test } from "node:test";

import { from } from "./from.mjs";

const { TaskList, failures, isRunning } = await from("core/tasks.js");

const rows = (n) => Array.from({ length: n }, (_, i) => ({ id: String(i), label: `VM ${i}` }));

test("at most four at once, each with its own result", async () => {
  const tasks = new TaskList(() => {}, () => 0);
  let now = 0;
  let most = 0;
  const task = await tasks.run({
    title: "Terminate", rows: rows(10),
    each: async ({ id }) => {
      most = Math.max(most, (now += 1));
      await new Promise(setImmediate);
      now -= 1;
      if (id === "3") throw new Error("is somebody else's");
      return id === "4" ? "was gone" : undefined;
    },
  });
  assert.equal(most, 4);
  assert.deepEqual(task.rows.map(({ state }) => state).filter((state) => state === "failed").length, 1);
  assert.equal(task.rows[3].text, "is somebody else's");
  assert.equal(task.rows[4].text, "was gone");
  assert.equal(failures(task), 1);
  assert.equal(isRunning(task), false);
});

test("it is there at once, open, and what runs stays when the list is cleared", async () => {
  const tasks = new TaskList(() => {}, () => 0);
  /** @type {() => void} */
  let finish = () => {};
  const done = tasks.run({ title: "Drain", rows: rows(1), each: () => new Promise((resolve) => (finish = () => resolve(undefined))) });
  assert.equal(tasks.isOpen, true);
  assert.equal(isRunning(tasks.list[0]), true);
  tasks.clear();
  assert.equal(tasks.list.length, 1);
  finish();
  await done;
  tasks.clear();
  assert.deepEqual([tasks.list.length, tasks.isOpen], [0, false]);
});
