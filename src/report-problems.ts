/** Problems of the worker in the log: ids, places and causes, no event data. */
import type { Logger } from 'pino';
import type { ReactorProblem } from './event-sourcing/reactor.ts';
import type { ReportProblem } from './worker-runner.ts';

export function problemReporter(logger: Logger): ReportProblem {
  return (problem) => {
    switch (problem.kind) {
      case 'retrying': {
        const { error: err, failures, delayMs: delay_ms } = problem;
        return logger.error({ err, failures, delay_ms }, 'projector retries');
      }
      case 'worker_died':
        return logger.error({ err: problem.error, delay_ms: problem.delayMs }, 'worker died, restarting');
      case 'rebuilding': {
        const { projection, reason } = problem;
        return logger.warn({ projection, reason }, 'projection starts over');
      }
      case 'dead_letter': {
        const { projection, stream, revision, eventType, cause, attempts } = problem.letter;
        return logger.error(
          { projection, stream, revision, event_type: eventType, cause, attempts },
          'dead letter',
        );
      }
      case 'publisher':
        return reportPublisher(logger, problem.problem);
      case 'leading':
        return logger.info({ work: problem.work, token: problem.token }, 'leads');
      case 'leading_ended':
        return logger.info({ work: problem.work, err: problem.error }, 'leads no more');
      case 'leases_unreachable':
        return logger.error({ err: problem.error }, 'leases cannot be read or written');
    }
  };
}

function reportPublisher(logger: Logger, problem: ReactorProblem) {
  switch (problem.kind) {
    case 'retrying': {
      const { error: err, failures, delayMs: delay_ms } = problem;
      return logger.error({ err, failures, delay_ms }, 'publisher retries');
    }
    case 'sink_unreachable': {
      const { reason, delayMs } = problem;
      return logger.warn(
        { reason, delay_ms: Math.round(delayMs) },
        'the sink of CloudEvents cannot be reached',
      );
    }
    case 'parked': {
      const { stream, revision, eventType, cause, attempts } = problem.letter;
      return logger.error({ stream, revision, event_type: eventType, cause, attempts }, 'CloudEvent parked');
    }
    case 'unknown_request': {
      const { stream, revision, type } = problem.event;
      return logger.warn({ stream, revision, event_type: type }, 'not a request that the publisher knows');
    }
    case 'starting_over':
      return logger.warn({ reason: problem.reason }, 'publisher starts over');
  }
}
