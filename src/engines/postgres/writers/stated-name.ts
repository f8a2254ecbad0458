import type { OtherWriter } from "../../../core/other-writer.ts";
import type { WrittenName } from "./written-names.ts";

/** Who writes, as the server shows it. */
export type Somebody = Pick<OtherWriter, "session" | "prepared" | "user" | "address" | "application">;

/** Somebody by a statement, and a table that it names. */
export interface StatedName {
  readonly somebody: Somebody;
  readonly name: WrittenName;
}
