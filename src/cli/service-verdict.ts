/** What to say of a service after a look at it. */
import type { Config } from '../config.ts';
import { baseUrl } from './project.ts';
import type { ServiceView } from './service-process.ts';

/** The verdict on a service, and the sentence that explains it. */
export interface Verdict {
  readonly state: 'ready' | 'unhealthy' | 'not_running';
  readonly message: string;
}

/** Decides from what was seen whether the bank is ready, unhealthy or not running. */
export function judge(config: Pick<Config, 'host' | 'port'>, { pid, probe }: ServiceView): Verdict {
  const url = baseUrl(config);
  if (probe.kind === 'openbank') {
    if (probe.ready) return { state: 'ready', message: 'OpenBank is ready.' };
    return { state: 'unhealthy', message: `OpenBank is running, but says it is ${probe.health.status}.` };
  }
  if (pid !== undefined) {
    return { state: 'unhealthy', message: `OpenBank runs (process ${pid}), but does not answer at ${url}.` };
  }
  const other = probe.kind === 'unreachable' ? '' : ` Another program answers at ${url}.`;
  return { state: 'not_running', message: `OpenBank is not running.${other}` };
}
