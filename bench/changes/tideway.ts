import type { TaskSpec } from "../../src/task/task.ts";
import { endpointOf } from "../../test/support/endpoint.ts";
import { everything, ObservedTask } from "../../test/support/task.ts";
import type { ChangeContender, Link } from "./contender.ts";
import { problemOf, TidewayReplication } from "./tideway-process.ts";

/** A task of type cdc with the settings that a user gets. */
export const tidewayChanges: ChangeContender = {
  name: "tideway",
  missing: () => undefined,
  async attach(link) {
    const spec = specOf(link);
    const task = new ObservedTask(spec);
    await task.until(({ phase }) => phase === "replicating");
    task.running.stop();
    const problem = problemOf(await task.running.outcome);
    if (problem !== undefined) throw new Error(`Tideway's task could not begin: ${problem}`);
    return new TidewayReplication({ ...spec, start: "resume-processing" }, link.stage);
  },
};

function specOf({ servers, source, target, id }: Link): TaskSpec {
  return {
    id,
    name: id,
    type: "cdc",
    source: endpointOf(servers.source, source),
    target: endpointOf(servers.target, target),
    tableMappings: everything,
    settings: "{}",
    start: "start-replication",
    startId: undefined,
    cdcStartPosition: undefined,
    cdcStopPosition: undefined,
    untilCaughtUp: false,
  };
}
