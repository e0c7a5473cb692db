/** Commands: ask for a rebuild of projections, cancel it, pause them, resume them. Whoever leads them acts on it. */
import { z } from 'zod';
import { accept, type Decision, reject } from '../../domain/decision.ts';
import {
  OPERATOR_REQUESTS_STREAM,
  type ProjectionRequestType,
  toProjectionRequest,
} from '../../event-sourcing/operator-requests.ts';
import {
  applyRequest,
  GROUP_STATES,
  type GroupState,
  type RequestRefusal,
} from '../../event-sourcing/projection-state.ts';
import { projectionGroups } from '../../projections/index.ts';
import type { Bank, Written } from '../bank.ts';
import { command, type Handler, type RequestContext } from '../mediator.ts';

export const projectionNameFields = z.strictObject({
  name: z
    .string()
    .max(100)
    .meta({ description: 'A projection, or its group.', examples: ['bank_accounts'] }),
});

type Input = z.output<typeof projectionNameFields>;

export type ProjectionAction = 'rebuild' | 'cancel' | 'pause' | 'resume';

type Result = {
  request: {
    action: ProjectionAction;
    group: string;
    projections: string[];
    revision: number;
  };
} & Written;

export const RebuildProjection = command<Result>()('RebuildProjection', projectionNameFields);
export const CancelRebuild = command<Result>()('CancelRebuild', projectionNameFields);
export const PauseProjection = command<Result>()('PauseProjection', projectionNameFields);
export const ResumeProjection = command<Result>()('ResumeProjection', projectionNameFields);

const REQUEST_TYPES: Readonly<Record<ProjectionAction, ProjectionRequestType>> = {
  rebuild: 'ProjectionRebuildRequestedV1',
  cancel: 'ProjectionRebuildCancelledV1',
  pause: 'ProjectionPausedV1',
  resume: 'ProjectionResumedV1',
};

const REFUSALS: Readonly<Record<RequestRefusal, string>> = {
  rebuild_in_progress: 'It is being rebuilt already.',
  no_rebuild: 'It is not being rebuilt.',
  rebuild_required: 'Its version has changed: what is served meanwhile is nobody’s to keep up to date.',
  projection_paused: 'It is paused already.',
  projection_not_paused: 'It is not paused.',
};

/** Times that other requests may come first. */
const ROUNDS_MAX = 10;
/** Requests that were not acted on yet; more mean that nobody leads the projections. */
const WAITING_MAX = 1_000;

export function projectionRequestHandler(bank: Bank, action: ProjectionAction): Handler<Input, Result> {
  return async ({ name }, context) => {
    const group = projectionGroups.find(
      (one) => one.name === name || one.projections.some((projection) => projection.name === name),
    );
    if (!group) return reject('projection_not_found', `There is no projection ${name}.`);
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      const decision = await tryToRecord(bank, group, action, context);
      if (decision) return decision;
    }
    return reject('store_busy', 'Others keep asking at the same time.');
  };
}

/** Decides on what is stored and what was asked since; `undefined` when another request came first. */
async function tryToRecord(
  bank: Bank,
  group: (typeof projectionGroups)[number],
  action: ProjectionAction,
  { expectedRevision: _unused, ...context }: RequestContext,
): Promise<Decision<Result> | undefined> {
  const type = REQUEST_TYPES[action];
  const at = bank.now().toISOString();
  const stored = await bank.readModels.get<GroupState>(GROUP_STATES, group.name);
  if (!stored?.document) {
    return reject('projection_not_led', 'No worker has begun to keep the projections yet; try again.');
  }
  let state = stored.document;
  let newest = state.handled;
  const waiting = { from: state.handled + 1, limit: WAITING_MAX };
  for await (const event of bank.events.readStream(OPERATOR_REQUESTS_STREAM, waiting)) {
    newest = event.revision;
    const request = toProjectionRequest(event);
    if (request?.data.consumer !== group.name) continue;
    const outcome = applyRequest(group, state, request.type, at);
    if (outcome.ok) state = outcome.state;
  }
  const outcome = applyRequest(group, state, type, at);
  if (!outcome.ok) return reject(outcome.refusal, REFUSALS[outcome.refusal]);
  const expected = newest === -1 ? 'no_stream' : newest;
  const request = { type, data: { consumer: group.name } };
  const written = await bank.operatorRequests.recordAt(request, context, expected);
  if (!written) return undefined;
  const projections = group.projections.map(({ name }) => name);
  return accept({
    request: { action, group: group.name, projections, revision: written.revision },
    ...written,
  });
}
