import { assessmentErrors } from "./errors/assessment-errors.ts";
import { binaryLogErrors } from "./errors/binary-log-errors.ts";
import { connectErrors } from "./errors/connect-errors.ts";
import { convertErrors } from "./errors/convert-errors.ts";
import { serviceErrors } from "./errors/service-errors.ts";
import { sourceErrors } from "./errors/source-errors.ts";
import { targetErrors } from "./errors/target-errors.ts";
import { transferErrors } from "./errors/transfer-errors.ts";
import { usageErrors } from "./errors/usage-errors.ts";
import { validationErrors } from "./errors/validation-errors.ts";

/** Every error code of the program, one row each. docs/reference/errors.md is generated from it. */
export const errorTable = {
  ...usageErrors,
  ...connectErrors,
  ...sourceErrors,
  ...binaryLogErrors,
  ...targetErrors,
  ...transferErrors,
  ...convertErrors,
  ...assessmentErrors,
  ...validationErrors,
  ...serviceErrors,
} as const;
