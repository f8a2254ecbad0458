import type { EndpointConfig, EndpointRole, EndpointSetting, EngineRegistry } from "../core/engine.ts";
import { errorTable } from "../core/error-table.ts";
import type { Finding } from "../core/finding.ts";
import type { TaskSpec } from "./task.ts";

/** What an endpoint's settings ask for without effect: kept and returned, but not passed over in silence. */
export function endpointFindings(
  { settings }: Pick<EndpointConfig, "settings">,
  role: EndpointRole,
  known: readonly EndpointSetting[],
): readonly Finding[] {
  return known.flatMap(({ name, appliesTo, effective, describe, default: usual }) => {
    const value = settings[name];
    const applies = appliesTo === "both" || appliesTo === role;
    if (value === undefined || value === usual || value === false || (effective && applies)) return [];
    const why = applies ? describe : `It has an effect on a ${appliesTo} alone.`;
    return [
      {
        ...{ code: "settings.no_effect", severity: "info", subject: name },
        message: `The endpoint setting ${name} is set on the ${role}. ${why}`,
        remedy: errorTable["settings.no_effect"].remedy,
      } as const,
    ];
  });
}

/** Those of both endpoints of a task. */
export function taskEndpointFindings(
  spec: Pick<TaskSpec, EndpointRole>,
  registry: EngineRegistry,
): readonly Finding[] {
  return (["source", "target"] as const).flatMap((role) => {
    const { endpointSettings } = registry.find(spec[role].engine);
    return endpointFindings(spec[role], role, endpointSettings);
  });
}
