/** What a thread that folds a past projection is started with, and what it tells. */
import type { StoreErrorCode } from '../event-sourcing/store-error.ts';
import type { PastProjection } from '../http/schemas/past-projections.ts';
import type { ProjectedStore } from '../store-tools/run-projection.ts';

export interface PastProjectionTask {
  readonly config: ProjectedStore;
  /** One of the bank's own. */
  readonly projection: string;
  /** RFC 3339; without it, all events count. */
  readonly time: string | undefined;
  /** Where the documents go. */
  readonly directory: string;
  /** Room that must be left on the disk of the directory, in bytes. */
  readonly roomLeft: number;
}

export type FromPastProjectionThread =
  | ({ readonly kind: 'progress' } & Pick<PastProjection, 'events' | 'percent'>)
  | ({ readonly kind: 'done' } & Pick<PastProjection, 'events' | 'first_dead_letters'> & {
        readonly documents: number;
        readonly dead_letters: number;
      })
  | { readonly kind: 'failed'; readonly code: StoreErrorCode; readonly message: string };
