/** Problems of the worker in the log: ids, places and causes, no event data. */
import type { Logger } from 'pino';
import type { TransferWorkerProblem } from '../application/transfer-worker.ts';
import type { ReactorProblem } from '../event-sourcing/reactor.ts';
import type { SnapshotProblem } from '../event-sourcing/snapshots/snapshot-keeper.ts';
import type { ReportProblem } from '../threads/worker-runner.ts';

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
      case 'transfers':
        return reportTransfers(logger, problem.problem);
      case 'timers': {
        const { timer, error: err } = problem.problem;
        return logger.error({ timer, err }, 'what is due by the clock could not be done');
      }
      case 'leading':
        return logger.info({ work: problem.work, token: problem.token }, 'leads');
      case 'leading_ended':
        return logger.info({ work: problem.work, err: problem.error }, 'leads no more');
      case 'leases_unreachable':
        return logger.error({ err: problem.error }, 'leases cannot be read or written');
    }
  };
}

/** Snapshots are doubted and fail in the background: nobody else would hear of it. */
export function snapshotReporter(logger: Logger): (problem: SnapshotProblem) => void {
  return (problem) => {
    const { aggregate, id } = problem;
    if (problem.kind === 'discarded') {
      const { reason, revision } = problem;
      return logger.error({ aggregate, id, reason, revision }, 'snapshot discarded');
    }
    return logger.warn({ aggregate, id, doing: problem.doing, err: problem.error }, 'snapshot work failed');
  };
}

function reportTransfers(logger: Logger, problem: TransferWorkerProblem) {
  switch (problem.kind) {
    case 'retrying': {
      const { error: err, failures, delayMs: delay_ms } = problem;
      return logger.error({ err, failures, delay_ms }, 'worker of transfers retries');
    }
    case 'transfer_unfinished':
      return logger.error(
        { transfer: problem.transferId, err: problem.error },
        'transfer could not be finished',
      );
    case 'sweep_failed':
      return logger.error({ err: problem.error }, 'unfinished transfers could not be looked for');
    default: {
      const { kind, stream, revision, eventType: event_type, error: err, attempts } = problem;
      const level = kind === 'message_parked' ? 'error' : 'warn';
      return logger[level]({ stream, revision, event_type, err, attempts }, TRANSFER_MESSAGES[kind]);
    }
  }
}

const TRANSFER_MESSAGES = {
  message_retried: 'transfer could not be finished yet',
  message_parked: 'transfer parked',
  answer_lost: 'what became of a transfer message could not be told to the store',
} as const;

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
