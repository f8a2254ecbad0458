/** The SQLSTATE of an error that the server sent through the driver, a system error's name, or undefined. */
export function errorCode(error: unknown): string | undefined {
  if (error === null || typeof error !== "object" || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
