/** Asks a service over HTTP how it is, and never takes longer than a bounded time. */

/** One projection in `GET /admin/status`. */
export interface ProjectionStatus {
  readonly name: string;
  readonly version: number;
  readonly position: string | number | null;
  readonly lag_events: number | null;
  readonly lag_ms: number | null;
  readonly state: string;
  readonly dead_letters: number;
}

/** The answer of `GET /admin/status`. */
export interface ServiceStatus {
  readonly version: string;
  readonly role: string;
  readonly pid: number;
  readonly started_at: string;
  readonly uptime_seconds: number;
  readonly memory_bytes: number;
  readonly event_store: {
    readonly kind: string;
    readonly location: string;
    /** Null where the store does not count them. */
    readonly events: number | null;
    readonly head_position: string | number | null;
  };
  readonly read_models: { readonly kind: string; readonly location: string };
  readonly projections: readonly ProjectionStatus[];
}

/** The answer of `GET /health/ready`. */
export interface Health {
  readonly status: string;
}

/**
 * What answers at the service's address: nothing, something that accepts but does not answer in time, another
 * program, or OpenBank.
 */
export type Probe =
  | { readonly kind: 'unreachable' | 'silent' | 'foreign' }
  | {
      readonly kind: 'openbank';
      readonly ready: boolean;
      readonly health: Health;
      readonly status: ServiceStatus;
    };

/** Looks at the service once. Never throws. */
export async function probe(url: string, timeoutMs = 2000): Promise<Probe> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const [ready, admin] = await Promise.all([
      getJson(`${url}/health/ready`, signal),
      getJson(`${url}/admin/status`, signal),
    ]);
    if (!isHealth(ready.body) || !isStatus(admin.body)) return { kind: 'foreign' };
    return { kind: 'openbank', ready: ready.ok, health: ready.body, status: admin.body };
  } catch (error) {
    if (error instanceof SyntaxError) return { kind: 'foreign' };
    return { kind: signal.aborted ? 'silent' : 'unreachable' };
  }
}

async function getJson(url: string, signal: AbortSignal): Promise<{ ok: boolean; body: unknown }> {
  const response = await fetch(url, { signal, redirect: 'manual' });
  return { ok: response.ok, body: await response.json() };
}

function isHealth(body: unknown): body is Health {
  return isRecord(body) && typeof body.status === 'string';
}

function isStatus(body: unknown): body is ServiceStatus {
  return (
    isRecord(body) &&
    typeof body.pid === 'number' &&
    typeof body.version === 'string' &&
    isRecord(body.event_store) &&
    isRecord(body.read_models) &&
    Array.isArray(body.projections)
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
