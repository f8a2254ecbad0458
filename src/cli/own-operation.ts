import {
  type DatabaseMigrationServiceClient,
  ListTagsForResourceCommand,
} from "@aws-sdk/client-database-migration-service";

interface WireRequest {
  body: unknown;
  readonly headers: Record<string, string>;
}

interface WireResponse {
  body: AsyncIterable<Uint8Array> | Uint8Array;
}

/**
 * Asks for an operation that AWS DMS does not have. The SDK's client knows the operations of its own model only: another
 * one's request is rewritten before it is signed, and what is answered is read beside the client, which goes on to tell
 * faults.
 */
export async function askOwn<Answer>(
  client: DatabaseMigrationServiceClient,
  operation: string,
  input: object,
): Promise<Answer> {
  const command = new ListTagsForResourceCommand({});
  let answer = "";
  command.middlewareStack.add(
    (next) => (args) => {
      const request = args.request as WireRequest;
      const target = request.headers["x-amz-target"] ?? "";
      request.headers["x-amz-target"] = target.replace(/[^.]*$/, operation);
      request.body = JSON.stringify(input);
      return next(args);
    },
    { name: "tidewayRequest", step: "build", priority: "high" },
  );
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const response = result.response as WireResponse;
      const chunks: Uint8Array[] = [];
      if (response.body instanceof Uint8Array) chunks.push(response.body);
      else for await (const chunk of response.body) chunks.push(chunk);
      const body = Buffer.concat(chunks);
      answer = body.toString();
      response.body = body;
      return result;
    },
    { name: "tidewayAnswer", step: "deserialize", priority: "low" },
  );
  await client.send(command);
  return JSON.parse(answer) as Answer;
}
