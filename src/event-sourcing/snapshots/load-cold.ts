/** Loads an aggregate that is not in memory: from its newest snapshot, if there is one to be trusted. */
import type { DomainEvent } from '../codec.ts';
import type { Known } from '../decide-all.ts';
import { type FoldSource, NOTHING_KNOWN, readBehind, readOn } from '../load-aggregate.ts';
import { StoreError } from '../store-error.ts';
import type { Snapshot } from './snapshot.ts';
import type { SnapshotKeeper } from './snapshot-keeper.ts';

/** @throws StoreError when the events cannot be read; a snapshot that cannot costs only time */
export async function loadCold<S, E extends DomainEvent>(
  source: FoldSource<S, E>,
  id: string,
  snapshots: SnapshotKeeper<S> | undefined,
): Promise<Known<S>> {
  const stream = source.aggregate.stream(id);
  if (!snapshots) return readOn(source, stream, NOTHING_KNOWN);
  const startedAt = performance.now();
  const { snapshot, discarded } = await snapshots.newest(id);
  const behind = snapshot && (await tryToReadBehind(source, id, snapshot, snapshots));
  const known = behind ?? (await readOn(source, stream, NOTHING_KNOWN));
  if (known.state === undefined) return known;
  const used = behind !== undefined;
  const ms = performance.now() - startedAt;
  return snapshots.consider(id, known, {
    ms,
    used,
    discarded: discarded || (snapshot !== undefined && !used),
  });
}

/** Nothing when the snapshot does not fit the stream: then the events alone count. */
async function tryToReadBehind<S, E extends DomainEvent>(
  source: FoldSource<S, E>,
  id: string,
  snapshot: Snapshot<S>,
  snapshots: SnapshotKeeper<S>,
): Promise<Known<S> | undefined> {
  try {
    const known = await readBehind(source, source.aggregate.stream(id), snapshot);
    if (!known) snapshots.discard(id, 'anchor', snapshot.revision);
    return known;
  } catch (error) {
    if (error instanceof StoreError) throw error;
    // Events that cannot follow this state: it is not theirs.
    snapshots.discard(id, 'wrong', snapshot.revision);
    return undefined;
  }
}
