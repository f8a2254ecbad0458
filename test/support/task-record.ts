import type { TaskRecord } from "../../src/task/records.ts";

/** Of a task that runs on the instance arn:i, between the endpoints arn:source and arn:target. */
export const taskRecord: TaskRecord = {
  arn: "arn:t",
  identifier: "t",
  createdMs: 0,
  taskId: "t",
  instanceArn: "arn:i",
  sourceArn: "arn:source",
  targetArn: "arn:target",
  migrationType: "full-load-and-cdc",
  tableMappings: "{}",
  settings: "{}",
  status: "running",
};
