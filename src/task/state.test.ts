import assert from "node:assert/strict";
import { test } from "node:test";
import { isActive, nextInstanceStatus, nextTaskStatus, type TaskStatus } from "./state.ts";

test("a task goes from creation over start to its end in AWS's order", () => {
  assert.equal(nextTaskStatus("creating", "created"), "ready");
  assert.equal(nextTaskStatus("ready", "start"), "starting");
  assert.equal(nextTaskStatus("starting", "began"), "running");
  assert.equal(nextTaskStatus("running", "ended"), "stopped");
  assert.equal(nextTaskStatus("running", "broke"), "failed");
  assert.equal(nextTaskStatus("failed", "start"), "starting");
});

test("progress that arrives while a task is being stopped does not show it as running again", () => {
  assert.equal(nextTaskStatus("stopping", "began"), "stopping");
  assert.equal(nextTaskStatus("stopped", "began"), undefined);
});

test("an active task can be neither started, changed nor deleted, a resting one not stopped", () => {
  for (const status of ["starting", "running", "stopping"] as const) {
    assert.equal(isActive(status), true);
    for (const action of ["start", "modify", "delete"] as const) {
      assert.equal(nextTaskStatus(status, action), undefined, `${status} ${action}`);
    }
  }
  for (const status of [
    "ready",
    "stopped",
    "failed",
    "creating",
    "deleting",
  ] as const satisfies TaskStatus[]) {
    assert.equal(isActive(status), false);
    assert.equal(nextTaskStatus(status, "stop"), undefined, status);
  }
});

test("an instance takes orders only when it is available", () => {
  for (const status of ["creating", "modifying", "upgrading", "rebooting", "deleting", "failed"] as const) {
    assert.equal(nextInstanceStatus(status, "use"), undefined, status);
  }
  assert.equal(nextInstanceStatus("creating", "ready"), "available");
  assert.equal(nextInstanceStatus("deleting", "ready"), undefined);
  assert.equal(nextInstanceStatus("failed", "delete"), "deleting");
});
