import {
  CreateReplicationInstanceCommand,
  DeleteReplicationInstanceCommand,
  type ReplicationInstance,
} from "@aws-sdk/client-database-migration-service";
import type { Command } from "commander";
import { type ApiOptions, withApi, withApiOptions } from "../api-client.ts";
import { findInstance, listInstances, unlessGone } from "../api-resources.ts";
import { type Output, textFields, textTable } from "../output.ts";
import { waitUntil } from "../wait.ts";

const HELP = `
Example:
  tideway instance create worker-1 --class dms.t3.medium --wait`;

interface CreateOptions extends ApiOptions {
  readonly class: string;
  readonly wait: boolean;
}

export function instanceCommand(program: Command, output: Output): void {
  const group = program
    .command("instance")
    .description("Replication instances of a server: the processes that run tasks.")
    .addHelpText("after", HELP);
  withApiOptions(group.command("list").description("List them.")).action((options: ApiOptions) =>
    list(options, output),
  );
  withApiOptions(
    group.command("show").description("Show one.").argument("<name>", "identifier or ARN"),
  ).action((name: string, options: ApiOptions) => show(name, options, output));
  withApiOptions(
    group
      .command("create")
      .description("Create one.")
      .argument("<name>", "identifier: letters, digits and hyphens")
      .option("--class <class>", "its size: memory and threads", "dms.t3.medium")
      .option("--wait", "until it is available", false),
  )
    .addHelpText("after", HELP)
    .action((name: string, options: CreateOptions) => create(name, options, output));
  withApiOptions(
    group
      .command("delete")
      .description("Delete one that no task uses.")
      .argument("<name>", "identifier or ARN")
      .option("--wait", "until it is gone", false),
  ).action((name: string, options: CreateOptions) => remove(name, options, output));
}

async function list(options: ApiOptions, output: Output): Promise<void> {
  const instances = await withApi(options, (client) => listInstances(client));
  if (options.json) output.stdout.write(`${JSON.stringify(instances, undefined, 2)}\n`);
  else {
    output.stdout.write(
      textTable(
        [{ title: "INSTANCE" }, { title: "STATUS" }, { title: "CLASS" }, { title: "ENGINE" }],
        instances.map((instance) => [
          instance.ReplicationInstanceIdentifier ?? "",
          instance.ReplicationInstanceStatus ?? "",
          instance.ReplicationInstanceClass ?? "",
          instance.EngineVersion ?? "",
        ]),
      ),
    );
  }
}

async function show(name: string, options: ApiOptions, output: Output): Promise<void> {
  print(await withApi(options, (client) => findInstance(client, name)), options, output);
}

async function create(name: string, options: CreateOptions, output: Output): Promise<void> {
  const instance = await withApi(options, async (client) => {
    const created = await client.send(
      new CreateReplicationInstanceCommand({
        ReplicationInstanceIdentifier: name,
        ReplicationInstanceClass: options.class,
      }),
    );
    if (!options.wait) return created.ReplicationInstance ?? {};
    return await waitUntil({
      output,
      quiet: options.json,
      poll: () => findInstance(client, name),
      done: (state) => state.ReplicationInstanceStatus !== "creating",
      describe: (state) => `instance ${name}: ${state.ReplicationInstanceStatus}`,
    });
  });
  print(instance, options, output);
}

async function remove(name: string, options: CreateOptions, output: Output): Promise<void> {
  await withApi(options, async (client) => {
    const { ReplicationInstanceArn } = await findInstance(client, name);
    await client.send(new DeleteReplicationInstanceCommand({ ReplicationInstanceArn }));
    if (!options.wait) return;
    await waitUntil({
      output,
      quiet: options.json,
      poll: () => findInstance(client, name).catch(unlessGone),
      done: (state) => state === undefined,
      describe: (state) => `instance ${name}: ${state?.ReplicationInstanceStatus ?? "deleted"}`,
    });
  });
}

function print(instance: ReplicationInstance, options: ApiOptions, output: Output): void {
  if (options.json) {
    output.stdout.write(`${JSON.stringify(instance, undefined, 2)}\n`);
    return;
  }
  output.stdout.write(
    textFields([
      ["instance", instance.ReplicationInstanceIdentifier ?? ""],
      ["status", instance.ReplicationInstanceStatus ?? ""],
      ["class", instance.ReplicationInstanceClass ?? ""],
      ["engine version", instance.EngineVersion ?? ""],
      ["arn", instance.ReplicationInstanceArn ?? ""],
    ]),
  );
}
