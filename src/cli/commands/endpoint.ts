import {
  CreateEndpointCommand,
  DeleteEndpointCommand,
  type Endpoint,
  TestConnectionCommand,
} from "@aws-sdk/client-database-migration-service";
import { type Command, Option } from "commander";
import { type ApiOptions, withApi, withApiOptions } from "../api-client.ts";
import { chosenInstance, findEndpoint, listConnections, listEndpoints } from "../api-resources.ts";
import { type Output, ReportedFault, textFields, textTable } from "../output.ts";
import { waitUntil } from "../wait.ts";

const HELP = `
Examples:
  tideway endpoint create old-shop --type source postgresql://me:secret@old:5432/shop
  tideway endpoint create old-server --type source mysql://me:secret@old
  tideway endpoint test old-shop`;

interface CreateOptions extends ApiOptions {
  readonly type: "source" | "target";
}

interface TestOptions extends ApiOptions {
  readonly instance?: string;
}

export function endpointCommand(program: Command, output: Output): void {
  const group = program
    .command("endpoint")
    .description("Endpoints of a server: saved connections to databases.")
    .addHelpText("after", HELP);
  const one = (name: string, description: string): Command =>
    group.command(name).description(description).argument("<name>", "identifier or ARN");
  withApiOptions(group.command("list").description("List them.")).action((options: ApiOptions) =>
    list(options, output),
  );
  withApiOptions(one("show", "Show one.")).action((name: string, options: ApiOptions) =>
    show(name, options, output),
  );
  withApiOptions(
    group
      .command("create")
      .description("Create one.")
      .argument("<name>", "identifier: letters, digits and hyphens")
      .argument(
        "<url>",
        "such as postgresql://user:password@host:5432/database?sslmode=require, mysql://user:password@host",
      )
      .addOption(new Option("--type <type>", "its side").choices(["source", "target"]).makeOptionMandatory()),
  )
    .addHelpText("after", HELP)
    .action((name: string, url: string, options: CreateOptions) => create({ name, url }, options, output));
  withApiOptions(one("test", "Connect to it.").option("--instance <name>", "from this replication instance"))
    .addHelpText("after", HELP)
    .action((name: string, options: TestOptions) => testEndpoint(name, options, output));
  withApiOptions(one("delete", "Delete one that no task uses.")).action((name: string, options: ApiOptions) =>
    remove(name, options),
  );
}

async function list(options: ApiOptions, output: Output): Promise<void> {
  const endpoints = await withApi(options, (client) => listEndpoints(client));
  if (options.json) {
    output.stdout.write(`${JSON.stringify(endpoints, undefined, 2)}\n`);
    return;
  }
  const columns = ["ENDPOINT", "TYPE", "ENGINE", "SERVER", "DATABASE", "USER", "STATUS"];
  const rows = endpoints.map((endpoint) => [
    endpoint.EndpointIdentifier ?? "",
    (endpoint.EndpointType ?? "").toLowerCase(),
    endpoint.EngineName ?? "",
    serverOf(endpoint),
    endpoint.DatabaseName ?? "",
    endpoint.Username ?? "",
    endpoint.Status ?? "",
  ]);
  output.stdout.write(
    textTable(
      columns.map((title) => ({ title })),
      rows,
    ),
  );
}

async function show(name: string, options: ApiOptions, output: Output): Promise<void> {
  print(await withApi(options, (client) => findEndpoint(client, name)), options, output);
}

async function create(
  given: { readonly name: string; readonly url: string },
  options: CreateOptions,
  output: Output,
): Promise<void> {
  const { registry } = await import("../../server/engines.ts");
  const scheme = given.url.split(":", 1)[0] ?? "";
  const engine = registry.find(scheme.toLowerCase());
  const config = engine.parseUrl(given.url, options.type);
  const created = await withApi(options, (client) =>
    client.send(
      new CreateEndpointCommand({
        EndpointIdentifier: given.name,
        EndpointType: options.type,
        EngineName: config.engine,
        ServerName: config.host,
        Port: config.port,
        ...(config.database === "" ? {} : { DatabaseName: config.database }),
        Username: config.username,
        SslMode: config.sslMode,
        ...(config.password === undefined ? {} : { Password: config.password }),
        ...(Object.keys(config.settings).length === 0 ? {} : { [engine.settingsMember]: config.settings }),
      }),
    ),
  );
  print(created.Endpoint ?? {}, options, output);
}

async function testEndpoint(name: string, options: TestOptions, output: Output): Promise<void> {
  const connection = await withApi(options, async (client) => {
    const { EndpointArn } = await findEndpoint(client, name);
    const { ReplicationInstanceArn } = await chosenInstance(client, options.instance);
    await client.send(new TestConnectionCommand({ EndpointArn, ReplicationInstanceArn }));
    return await waitUntil({
      output,
      quiet: options.json,
      poll: async () => {
        const found = await listConnections(client, [
          { Name: "endpoint-arn", Values: [EndpointArn ?? ""] },
          { Name: "replication-instance-arn", Values: [ReplicationInstanceArn ?? ""] },
        ]);
        return found[0] ?? {};
      },
      done: (state) => state.Status !== "testing",
      describe: (state) => `connection to ${name}: ${state.Status ?? "unknown"}`,
    });
  });
  if (options.json) output.stdout.write(`${JSON.stringify(connection, undefined, 2)}\n`);
  if (connection.Status === "successful") return;
  throw new ReportedFault(
    "connection.failed",
    connection.LastFailureMessage ?? `The connection to ${name} failed.`,
  );
}

async function remove(name: string, options: ApiOptions): Promise<void> {
  await withApi(options, async (client) => {
    const { EndpointArn } = await findEndpoint(client, name);
    await client.send(new DeleteEndpointCommand({ EndpointArn }));
  });
}

function print(endpoint: Endpoint, options: ApiOptions, output: Output): void {
  if (options.json) {
    output.stdout.write(`${JSON.stringify(endpoint, undefined, 2)}\n`);
    return;
  }
  output.stdout.write(
    textFields([
      ["endpoint", endpoint.EndpointIdentifier ?? ""],
      ["type", (endpoint.EndpointType ?? "").toLowerCase()],
      ["engine", endpoint.EngineName ?? ""],
      ["server", serverOf(endpoint)],
      ["database", endpoint.DatabaseName ?? ""],
      ["user", endpoint.Username ?? ""],
      ["ssl mode", endpoint.SslMode ?? ""],
      ["status", endpoint.Status ?? ""],
      ["arn", endpoint.EndpointArn ?? ""],
    ]),
  );
}

function serverOf(endpoint: Endpoint): string {
  return `${endpoint.ServerName ?? ""}:${endpoint.Port ?? ""}`;
}
