/** Query: what is in the archive, and how its newest run is doing. */
import { z } from 'zod';
import { accept } from '../../domain/decision.ts';
import { type ArchiveRun, notArchiving } from '../archive-runs.ts';
import type { Bank } from '../bank.ts';
import { type Handler, query } from '../mediator.ts';

/** The newest volumes are listed one by one. */
const VOLUMES_SHOWN_MAX = 100;

export interface ArchiveVolumeView {
  readonly volume: string;
  readonly created_at: string;
  readonly streams: number;
  readonly events: number;
  readonly segments: number;
  readonly bytes: number;
  /** Of its events, as `export` prints one of all. */
  readonly digest: string;
  /** Whether all of its events have left the store; else the next run goes on. */
  readonly cut: boolean;
}

export interface ArchiveView {
  /** Null where nothing can be archived. */
  readonly directory: string | null;
  readonly volume_count: number;
  readonly events: number;
  readonly bytes: number;
  /** The newest ones, the newest first. */
  readonly volumes: ArchiveVolumeView[];
  /** Of this process; null when there was none since it was started. */
  readonly run: ArchiveRun | null;
}

export const GetArchive = query<ArchiveView>()('GetArchive', z.strictObject({}));

/** Rejects with `not_supported`. */
export function getArchiveHandler({
  archive,
}: Pick<Bank, 'archive'>): Handler<Record<string, never>, ArchiveView> {
  return async () => {
    if (!archive) return notArchiving();
    const { events, bytes } = await archive.figures();
    const { volumes } = archive.catalogue;
    return accept({
      directory: archive.place ?? null,
      volume_count: volumes.length,
      events,
      bytes,
      volumes: volumes
        .slice(-VOLUMES_SHOWN_MAX)
        .reverse()
        .map(({ record, cut }) => {
          const { volume, created_at, streams, events, segments, bytes, digest } = record;
          return { volume, created_at, streams, events, segments, bytes, digest, cut };
        }),
      run: archive.run ?? null,
    });
  };
}
