/** How a delivery failed, in words without the address: that may hold a key. */
export class DeliveryFailure extends Error {
  override readonly name = "DeliveryFailure";
  /** HTTP status; undefined when there was no answer. */
  readonly status: number | undefined;

  constructor(reason: string, status?: number) {
    super(reason);
    this.status = status;
  }
}

const ANSWER_TIMEOUT_MS = 15_000;
/** More than any server says of a notification. */
const LONGEST_ANSWER = 64 * 1024;

export interface Post {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Sends a request and resolves when it is answered with success. Throws DeliveryFailure, or the signal's reason. */
export async function post({ url, headers, body }: Post, signal: AbortSignal): Promise<void> {
  const timeout = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
  let response: Response;
  try {
    response = await fetch(url, {
      method: "POST",
      headers,
      body,
      redirect: "manual",
      signal: AbortSignal.any([signal, timeout]),
    });
    await pass(response);
  } catch (error) {
    signal.throwIfAborted();
    if (timeout.aborted) throw new DeliveryFailure(`no answer within ${ANSWER_TIMEOUT_MS / 1000} seconds`);
    throw new DeliveryFailure(errorCode(error) ?? "no answer");
  }
  if (!response.ok) throw new DeliveryFailure(`HTTP status ${response.status}`, response.status);
}

/**
 * What an answer says is of no account, but its connection can serve the next request only once it is read: that of an
 * answer that does not end is given up.
 */
async function pass({ body }: Response): Promise<void> {
  let left = LONGEST_ANSWER;
  for await (const chunk of body ?? []) {
    left -= chunk.byteLength;
    if (left < 0) return;
  }
}

/** fetch() wraps what happened: ECONNREFUSED, ENOTFOUND, a code of TLS. */
function errorCode(error: unknown): string | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && "code" in cause ? String(cause.code) : undefined;
}
