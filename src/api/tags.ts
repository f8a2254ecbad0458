import type {
  AddTagsToResourceMessage,
  ListTagsForResourceMessage,
  ListTagsForResourceResponse,
  RemoveTagsFromResourceMessage,
  Tag,
} from "@aws-sdk/client-database-migration-service";
import type { ResourceKind } from "../task/records.ts";
import { resourceIdOf } from "./arn.ts";
import { invalidCombination, invalidValue, notFound } from "./faults.ts";
import type { Call } from "./service.ts";
import type { Checked } from "./shapes.ts";
import { checkTags } from "./tag-rules.ts";

/** The kinds of resources that have tags, by the type in their ARN. */
const taggable: Readonly<Record<string, ResourceKind>> = {
  rep: "instance",
  endpoint: "endpoint",
  task: "task",
  subgrp: "subnet-group",
  cert: "certificate",
  "replication-config": "task",
  es: "event-subscription",
};

export async function addTagsToResource(
  request: Checked<AddTagsToResourceMessage>,
  call: Call,
): Promise<Record<string, never>> {
  const arn = await existing(request.ResourceArn, call);
  await call.store.setTags(arn, checkTags(request.Tags, await call.store.tags(arn)));
  return {};
}

export async function removeTagsFromResource(
  request: Checked<RemoveTagsFromResourceMessage>,
  call: Call,
): Promise<Record<string, never>> {
  const arn = await existing(request.ResourceArn, call);
  await call.store.removeTags(arn, request.TagKeys);
  return {};
}

export async function listTagsForResource(
  request: Checked<ListTagsForResourceMessage>,
  call: Call,
): Promise<ListTagsForResourceResponse> {
  const { ResourceArn: one, ResourceArnList: many } = request;
  if ((one === undefined) === (many === undefined)) {
    throw invalidCombination("Give either ResourceArn or ResourceArnList.");
  }
  if (one !== undefined) return { TagList: await tagsOf(await existing(one, call), call) };
  const lists = (many ?? []).map(async (given) => {
    const tags = await tagsOf(await existing(given, call), call);
    return tags.map((tag) => ({ ...tag, ResourceArn: given }));
  });
  return { TagList: (await Promise.all(lists)).flat() };
}

async function tagsOf(arn: string, call: Call): Promise<Tag[]> {
  const tags = await call.store.tags(arn);
  return tags.map((tag) => ({ Key: tag.key, Value: tag.value }));
}

/** Kinds whose ARNs clients build themselves, since the API never returns one: account and partition may be anything. */
const NAMED_BY_CLIENTS: ReadonlySet<ResourceKind> = new Set(["subnet-group", "event-subscription"]);

/** The ARN as stored. */
async function existing(arn: string, call: Call): Promise<string> {
  const parts = arn.split(":");
  const kind = parts[0] === "arn" && parts[2] === "dms" ? taggable[parts[5] ?? ""] : undefined;
  if (kind === undefined) throw invalidValue(`${arn} is not the ARN of a resource that can have tags.`);
  if (NAMED_BY_CLIENTS.has(kind)) {
    const name = resourceIdOf(arn).toLowerCase();
    const found = (await call.store.list(kind)).find((one) => one.identifier.toLowerCase() === name);
    if (found !== undefined) return found.arn;
  } else if ((await call.store.get(kind, arn)) !== undefined) {
    return arn;
  }
  throw notFound(`Resource ${arn} not found.`);
}
