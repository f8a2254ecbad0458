import type { Tag as WireTag } from "@aws-sdk/client-database-migration-service";
import type { Tag } from "../task/store.ts";
import { Fault, invalidValue } from "./faults.ts";

/** AWS's limit for every taggable resource. */
const MOST_TAGS = 50;
const CHARACTERS = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/** Tags of a request, checked as AWS checks them. `present` are those the resource has already. */
export function checkTags(
  given: readonly WireTag[] | undefined,
  present: readonly Tag[] = [],
): readonly Tag[] {
  const tags = (given ?? []).map((tag) => ({ key: tag.Key ?? "", value: tag.Value ?? "" }));
  const keys = new Set<string>();
  for (const { key, value } of tags) {
    if (key === "" || key.length > 128) throw invalidValue("A tag key must have 1 to 128 characters.");
    if (value.length > 256) throw invalidValue(`The value of tag ${key} is longer than 256 characters.`);
    if (!CHARACTERS.test(key) || !CHARACTERS.test(value)) {
      throw invalidValue(
        "Tag keys and values may hold letters, digits, white space and _ . : / = + - @ only.",
      );
    }
    if (/^(aws|dms):/i.test(key) || /^(aws|dms):/i.test(value)) {
      throw invalidValue("Tag keys and values must not start with aws: or dms:, which are reserved.");
    }
    if (keys.has(key)) throw invalidValue(`The tag key ${key} is given twice.`);
    keys.add(key);
  }
  for (const tag of present) keys.add(tag.key);
  if (keys.size > MOST_TAGS) {
    throw new Fault("ResourceQuotaExceededFault", `A resource has at most ${MOST_TAGS} tags.`);
  }
  return tags;
}
