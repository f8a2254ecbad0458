import type { EngineRegistry } from "../core/engine.ts";
import type { FindPlaces } from "./target-places.ts";

/** What a run needs to know of the program around it. */
export interface TaskSurroundings {
  readonly registry: EngineRegistry;
  readonly findPlaces: FindPlaces;
}
