import { readTaskSettings } from "./settings.ts";
import { isJsonObject, member, parseSettings, type SettingsDocument } from "./settings-document.ts";

/**
 * The mode LimitedSizeLobMode cuts values off, and AWS's default of it is true: so it is in every document that is stored
 * and returned. It acts where somebody has asked for it, and a document that only says what was returned before, as
 * Terraform and people send it back, asks for nothing.
 */
export interface StoredSettings {
  /** The whole merged document. */
  readonly settings: string;
  /** Somebody has asked for LimitedSizeLobMode. */
  readonly limitsLobs?: true | undefined;
}

/**
 * With what a change asks for. `settings`: the merged document. `before`: undefined for a new task. Throws
 * `settings.malformed` for a size that cannot be carried out.
 */
export function withAsked(
  settings: string,
  change: string | undefined,
  before: StoredSettings | undefined,
): StoredSettings {
  const isNews = before === undefined || limitedMode(before.settings) !== true;
  const isAsked = isNews && change !== undefined && limitedMode(change) === true;
  const limits = limitedMode(settings) === true && (isAsked || before?.limitsLobs === true);
  const stored: StoredSettings = { settings, limitsLobs: limits ? true : undefined };
  if (limits) readTaskSettings(askedSettings(stored));
  return stored;
}

/** The document that a run is given: without the mode that nobody has asked for. */
export function askedSettings({ settings, limitsLobs }: StoredSettings): string {
  const document = parseSettings(settings);
  const metadata = metadataOf(document);
  if (limitsLobs === true || metadata?.LimitedSizeLobMode !== true) return settings;
  const { LimitedSizeLobMode: _default, ...rest } = metadata;
  return JSON.stringify({ ...document, TargetMetadata: rest });
}

function limitedMode(document: string): unknown {
  return metadataOf(parseSettings(document))?.LimitedSizeLobMode;
}

function metadataOf(document: SettingsDocument): SettingsDocument | undefined {
  const metadata = member(document, "TargetMetadata");
  return isJsonObject(metadata) ? metadata : undefined;
}
