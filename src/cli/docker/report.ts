/** Says how the containers are and where their pages are. */
import { CliError } from '../cli-error.ts';
import { baseUrl } from '../project.ts';
import { alignColumns, paint, printJson } from '../terminal.ts';
import { type Place, welcome } from '../welcome.ts';
import { type Container, urlOf } from './containers.ts';
import type { StackView } from './stack.ts';

/** Prints where a started stack is reached. */
export function reportStack({ containers, api }: StackView, json: boolean): void {
  if (!api) throw new CliError('The container of the API publishes no port.');
  const url = baseUrl(api);
  const places = {
    url,
    docs_url: `${url}/api/docs`,
    health_url: `${url}/health/ready`,
    kurrentdb_url: urlOf(containers, 'kurrentdb') ?? null,
    mongo_express_url: urlOf(containers, 'mongo-express') ?? null,
    cloudevents_viewer_url: urlOf(containers, 'cloudevents-viewer') ?? null,
  };
  if (json) {
    printJson({ outcome: 'started', ...places });
    return;
  }
  const rows: readonly (readonly [string, string | null])[] = [
    ['API', `${url}/api/v1`],
    ['API documentation', places.docs_url],
    ['KurrentDB', places.kurrentdb_url],
    ['Mongo Express', places.mongo_express_url],
    ['CloudEvents', places.cloudevents_viewer_url],
    ['Health', places.health_url],
  ];
  const there = rows.filter((row): row is Place => row[1] !== null);
  welcome('OpenBank is ready, with KurrentDB and MongoDB in containers.', there, ' --docker');
}

/** One aligned line per container. */
export function containerTable(containers: readonly Container[]): string {
  const header = ['Container', 'Service', 'State', 'Details'].map((title) => paint('bold', title));
  const rows = containers.map((container) => [
    container.Name,
    container.Service,
    paint(isWell(container) ? 'green' : 'red', container.Health || container.State),
    container.Status,
  ]);
  return alignColumns([header, ...rows], { indent: 2 });
}

/** A one-shot container is well when it ended without a failure. */
function isWell({ State, Health, ExitCode }: Container): boolean {
  if (State === 'running') return Health === '' || Health === 'healthy';
  return State === 'exited' && ExitCode === 0;
}
