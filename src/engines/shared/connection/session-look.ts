/** What serves a session on its server. */
export interface Backend {
  /** The number that the server knows the session by. */
  readonly pid: number;
  /** When it was started, by the server's clock, because numbers come again; null when that is hidden or not needed. */
  readonly started: string | null;
  /** Another on every other server, or once the same one was started again: behind one address there may be several. */
  readonly server: string;
}

/** What a server says of one of its sessions. */
export interface Sighting {
  readonly pid: number;
  /** See Backend; null when the user may not see it. */
  readonly started: string | null;
  /** That it waits for us to say something, or to take something; undefined while it works, or waits for anything else. */
  readonly waits: "to be told" | "to send" | undefined;
  /**
   * Another whenever the server has taken something from us: what stays the same has taken nothing, or is in the middle
   * of one long message. Opaque; null where a server shows nothing of the kind.
   */
  readonly mark: string | null;
}

export interface Look {
  /** See Backend: another than the session's means that the look was at another server. */
  readonly server: string;
  /** Sessions that are gone are missing. */
  readonly sightings: readonly Sighting[];
}

/** A session by what the server's activity views show of it. */
export interface SessionMark {
  readonly pid: number;
  readonly purpose: string;
  /** See Backend; null for any. */
  readonly started: string | null;
}
