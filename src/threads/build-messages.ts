/** What a thread that fills builds and the one that started it tell each other. */
import type { Config } from '../config.ts';
import type { Position } from '../event-sourcing/event-store.ts';
import type { ProjectorProblem, ProjectorState } from '../event-sourcing/projector.ts';

/** What the thread is started with. */
export interface BuildTask {
  readonly config: Pick<Config, 'archiveDir' | 'defaultCurrency'>;
  /** Files: the events, and the read models. */
  readonly events: string;
  readonly readModels: string;
  readonly builds: readonly { readonly name: string; readonly version: number; readonly build: number }[];
  readonly places: number;
}

export type ToBuildThread =
  | { readonly kind: 'served'; readonly events: number }
  | { readonly kind: 'wake' }
  | { readonly kind: 'stop' };

export type FromBuildThread =
  | {
      readonly kind: 'progress';
      readonly state: ProjectorState | undefined;
      readonly caughtUp: boolean;
      readonly position: Position;
      readonly reached: Position;
      readonly events: number;
    }
  | { readonly kind: 'problem'; readonly problem: ProjectorProblem }
  | { readonly kind: 'failed'; readonly error: unknown };
