/** What a writer that is about to be killed tells its parent, one JSON text per line. */
import type { ExpectedRevision } from '../../../src/event-sourcing/event-store.ts';

export interface TriedAppend {
  readonly id: string;
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly eventIds: readonly string[];
}

export type CrashReport =
  | { readonly kind: 'opened' }
  | { readonly kind: 'tried'; readonly append: TriedAppend }
  | {
      readonly kind: 'acknowledged';
      readonly id: string;
      readonly revision: number;
      readonly position: string;
    };
