/** `status`: how the process, the stores and every projection are. */
import { EXIT } from '../cli-error.ts';
import { defineCommand } from '../command.ts';
import type { Address } from '../docker/containers.ts';
import { dockerFlag } from '../docker/flag.ts';
import { containerTable } from '../docker/report.ts';
import { findStack } from '../docker/stack.ts';
import { baseUrl, readConfig } from '../project.ts';
import type { ProjectionStatus, ServiceStatus } from '../service-probe.ts';
import { findService, type ServiceView } from '../service-process.ts';
import { judge, type Verdict } from '../service-verdict.ts';
import {
  alignColumns,
  formatBytes,
  formatCount,
  formatDuration,
  paint,
  print,
  printJson,
} from '../terminal.ts';

export const status = defineCommand({
  name: 'status',
  summary: 'Show how the bank is doing: process, health, stores, projections.',
  details:
    'Exit code: 0 when ready, 1 when unhealthy, 3 when not running; with --docker, 4 when it cannot be used.',
  options: { json: { type: 'boolean', help: 'Print everything as JSON' }, ...dockerFlag },
  async run({ json, docker }) {
    const config = readConfig();
    if (docker) return statusOfStack(config, json === true);
    const view = await findService(config);
    const judged = judge(config, view);
    if (json) printJson({ ...judged, ...details(config, view) });
    else show(config, view, judged);
    return EXIT_OF[judged.state];
  },
});

const EXIT_OF = { ready: EXIT.ok, unhealthy: EXIT.failed, not_running: EXIT.notRunning } as const;

/** Without a published port the configured address says where it would be. */
async function statusOfStack(config: Address, json: boolean): Promise<number> {
  const { containers, api, probe } = await findStack();
  const address = api ?? config;
  const view: ServiceView = { pid: undefined, probe };
  const judged =
    containers.some(({ State }) => State === 'running') && probe.kind !== 'openbank'
      ? ({ state: 'unhealthy', message: 'Containers run, but the API does not answer.' } as const)
      : judge(address, view);
  if (json) printJson({ ...judged, ...details(address, view), containers });
  else {
    show(address, view, judged);
    if (containers.length > 0) print('', containerTable(containers));
  }
  return EXIT_OF[judged.state];
}

function details(config: Address, { pid, probe }: ServiceView) {
  const seen = probe.kind === 'openbank' ? probe : undefined;
  return {
    url: baseUrl(config),
    pid: seen?.status.pid ?? pid ?? null,
    health: seen?.health ?? null,
    service: seen?.status ?? null,
  };
}

function show(config: Address, { probe }: ServiceView, { state, message }: Verdict): void {
  const colour = ({ ready: 'green', unhealthy: 'red', not_running: 'yellow' } as const)[state];
  print(`${paint(colour, '●')} ${message}`);
  if (probe.kind !== 'openbank') return;
  print('', alignColumns(overview(config, probe.status), { indent: 2 }));
  const { projections } = probe.status;
  if (projections.length > 0) print('', projectionTable(projections));
}

function overview(config: Address, service: ServiceStatus): string[][] {
  const { event_store: events, read_models: models } = service;
  const counted = events.events === null ? '' : `${formatCount(events.events)} events, `;
  const up = formatDuration(service.uptime_seconds);
  return [
    ['Address', paint('cyan', baseUrl(config))],
    ['Version', `${service.version}, role ${service.role}`],
    ['Process', `${service.pid}, up ${up} (since ${service.started_at})`],
    ['Memory', formatBytes(service.memory_bytes)],
    ['Event store', `${events.kind}, ${counted}${events.location}`],
    ['Read models', `${models.kind}, ${models.location}`],
  ];
}

/** One aligned line per projection. */
export function projectionTable(projections: readonly ProjectionStatus[]): string {
  const header = ['Projection', 'Version', 'State', 'Lag', 'Lag (ms)', 'Position', 'Dead letters'];
  const rows = projections.map((projection) => [
    projection.name,
    String(projection.version),
    paint(['running', 'standby'].includes(projection.state) ? 'green' : 'red', projection.state),
    figure(projection.lag_events),
    figure(projection.lag_ms),
    String(projection.position ?? '-'),
    projection.dead_letters > 0 ? paint('red', String(projection.dead_letters)) : '0',
  ]);
  return alignColumns([header.map((title) => paint('bold', title)), ...rows], {
    indent: 2,
    right: [1, 3, 4, 5, 6],
  });
}

function figure(value: number | null): string {
  return value === null ? '-' : formatCount(value);
}
