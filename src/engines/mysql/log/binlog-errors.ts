import type { EndpointConfig } from "../../../core/engine.ts";
import { MigrationError } from "../../../core/error.ts";
import type { Position } from "../../../core/position.ts";
import { errorAddress } from "../connection/address.ts";
import { classify, serverFields } from "../connection/errors.ts";
import { unreadable } from "./binlog-bytes.ts";
import { EventKind } from "./binlog-event.ts";

/** ER_MASTER_FATAL_ERROR_READING_BINLOG: whatever is wrong with the log; the text says what. */
const LOG_ERROR = 1236;
/** ER_NO_BINARY_LOGGING and MariaDB's of other texts for the same. */
const NOT_LOGGED = 1381;
/** MariaDB: the GTID that a reader stands at is not in the log (ER_GTID_POSITION_NOT_FOUND_IN_BINLOG and the like). */
const GTID_ERRORS = [1944, 1945, 1955];

const PURGED =
  /purged|could not find first log file|could not find gtid state|not find .* in the binary log|is not in the master's binlog|missing gtids?|before the last/i;
const BEYOND = /position > file size|impossible position|ahead of|not in the (?:master|source)'s binlog/i;

/** An event that says something, and nothing that can be read. */
export function unreadableEvent(kind: number): MigrationError {
  if (kind === EventKind.incident) {
    return unreadable(
      "an incident: events of it were lost",
      "Look at the server's log, and start the task again with reload-target.",
    );
  }
  return unreadable(
    `an event of kind ${kind}`,
    "Report it with the server's version. What made it has to be turned off on the source before the task starts again with reload-target.",
  );
}

/** An error of the stream; `passed` is the last position that it has told. */
export function logError(error: unknown, endpoint: EndpointConfig, passed: Position): MigrationError {
  const fields = serverFields(error);
  if (fields === undefined) return classify(error, { side: "source", endpoint });
  const { number, message } = fields;
  if (number === NOT_LOGGED || /binary log is not open/i.test(message)) {
    return new MigrationError("source.binary_log_off", {
      message: "The source does not write a binary log.",
      subject: errorAddress(endpoint),
      nativeCode: String(number),
    });
  }
  if (number !== LOG_ERROR && !GTID_ERRORS.includes(number)) {
    return classify(error, { side: "source", endpoint, subject: passed.text });
  }
  const nativeCode = String(number);
  if (/same server_(?:uu)?id/i.test(message)) {
    return new MigrationError("connect.lost", {
      message: "Another reader of the task's number has connected to the source.",
      subject: errorAddress(endpoint),
      nativeCode,
    });
  }
  if (PURGED.test(message)) {
    return new MigrationError("source.log_purged", {
      message: `The source has no log any more from ${passed.text} on.`,
      subject: errorAddress(endpoint),
      nativeCode,
    });
  }
  if (BEYOND.test(message) || GTID_ERRORS.includes(number)) {
    return new MigrationError("source.position_unavailable", {
      message: `The source's log does not have the place ${passed.text}.`,
      subject: errorAddress(endpoint),
      nativeCode,
    });
  }
  if (/max_allowed_packet/i.test(message)) {
    return unreadable(
      "an event that is larger than its max_allowed_packet",
      "Set max_allowed_packet = 1G on the source and resume the task.",
    );
  }
  return unreadable(
    `something that it cannot read itself after ${passed.text}`,
    "Look at the server's log; mend the binary log, or start the task again with reload-target.",
  );
}
