/** What a double in a process of its own can be told to do. */
import type { LeaderEndpoint, SubscriptionEnd, WriteFault } from './faults.ts';
import type { KurrentDbDouble } from './index.ts';

export const COMMANDS = {
  failWrites: (double: KurrentDbDouble, fault: WriteFault, times?: number) =>
    double.faults.failWrites(fault, times),
  refuseAsNotLeader: (double: KurrentDbDouble, times: number, leader?: LeaderEndpoint) =>
    double.faults.refuseAsNotLeader(times, leader),
  beUnavailableFor: (double: KurrentDbDouble, milliseconds: number) =>
    double.faults.beUnavailableFor(milliseconds),
  dropConnections: (double: KurrentDbDouble) => double.faults.dropConnections(),
  endSubscriptionAfter: (double: KurrentDbDouble, events: number, how?: SubscriptionEnd) =>
    double.faults.endSubscriptionAfter(events, how),
  delayEvents: (double: KurrentDbDouble, milliseconds: number) => double.faults.delayEvents(milliseconds),
  fallBehind: (double: KurrentDbDouble) => double.faults.fallBehind(),
  writeUnreadable: (double: KurrentDbDouble, stream: string, type: string) =>
    double.writeUnreadable(stream, type),
  scavenge: (double: KurrentDbDouble) => double.scavenge(),
  writeStatistics: (double: KurrentDbDouble) => double.writeStatistics(),
};

export type CommandName = keyof typeof COMMANDS;

type Rest<F> = F extends (double: KurrentDbDouble, ...args: infer A) => void ? A : never;

/** The arguments of a command. */
export type CommandArguments<N extends CommandName> = Rest<(typeof COMMANDS)[N]>;
