import type { Profile } from "./profile.ts";
import { myBinlogProfiles } from "./profiles/my-binlog.ts";
import { myChangeProfiles } from "./profiles/my-changes.ts";
import { myLoadProfiles } from "./profiles/my-load.ts";
import { pgChangeProfiles } from "./profiles/pg-changes.ts";
import { pgLagProfiles } from "./profiles/pg-lag.ts";
import { pgLoadProfiles } from "./profiles/pg-load.ts";
import { pgValidateProfiles } from "./profiles/pg-validate.ts";

/** Everything that can be measured, in the order in which it runs. */
export const profiles: readonly Profile[] = [
  ...pgLoadProfiles,
  ...pgChangeProfiles,
  ...pgLagProfiles,
  ...pgValidateProfiles,
  ...myLoadProfiles,
  ...myChangeProfiles,
  ...myBinlogProfiles,
];

/** A profile's own name, or a family's for all its cases; undefined when there is no such thing. */
export function selectProfiles(word: string): readonly Profile[] | undefined {
  const found = profiles.filter(({ name }) => name === word || name.startsWith(`${word}/`));
  return found.length === 0 ? undefined : found;
}
