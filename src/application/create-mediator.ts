/** Says which handler answers which message. */

import type { Bank } from './bank.ts';
import { CaptureHold, captureHoldHandler } from './commands/capture-hold.ts';
import { ChangeLimits, changeLimitsHandler } from './commands/change-limits.ts';
import { ChangeOverdraftLimit, changeOverdraftLimitHandler } from './commands/change-overdraft-limit.ts';
import { ChangeTerms, changeTermsHandler } from './commands/change-terms.ts';
import { CloseBankAccount, closeBankAccountHandler } from './commands/close-bank-account.ts';
import { CreateBankAccount, createBankAccountHandler } from './commands/create-bank-account.ts';
import { CreateDeposit, createDepositHandler } from './commands/create-deposit.ts';
import { CreateWithdrawal, createWithdrawalHandler } from './commands/create-withdrawal.ts';
import {
  DiscardDeadLetter,
  discardDeadLetterHandler,
  RetryDeadLetter,
  RetryDeadLetters,
  retryDeadLetterHandler,
  retryDeadLettersHandler,
} from './commands/dead-letter-requests.ts';
import { ExpireHolds, expireHoldsHandler } from './commands/expire-holds.ts';
import { FreezeAccount, freezeAccountHandler } from './commands/freeze-account.ts';
import * as parked from './commands/parked-cloud-events.ts';
import { PayOutSuspense, payOutSuspenseHandler } from './commands/pay-out-suspense.ts';
import { PlaceHold, placeHoldHandler } from './commands/place-hold.ts';
import { PostBatch, postBatchHandler } from './commands/post-batch.ts';
import { PostInterest, postInterestHandler } from './commands/post-interest.ts';
import { PostInterestForPeriod, postInterestForPeriodHandler } from './commands/post-interest-for-period.ts';
import {
  CancelRebuild,
  PauseProjection,
  projectionRequestHandler,
  RebuildProjection,
  ResumeProjection,
} from './commands/projection-requests.ts';
import { RegisterPerson, registerPersonHandler } from './commands/register-person.ts';
import { ReleaseHold, releaseHoldHandler } from './commands/release-hold.ts';
import { RequestTransfer, requestTransferHandler } from './commands/request-transfer.ts';
import { ReverseTransaction, reverseTransactionHandler } from './commands/reverse-transaction.ts';
import { StartArchiveRun, startArchiveRunHandler } from './commands/start-archive-run.ts';
import { TakeSnapshot, takeSnapshotHandler } from './commands/take-snapshot.ts';
import { UnfreezeAccount, unfreezeAccountHandler } from './commands/unfreeze-account.ts';
import { type Behaviour, Mediator } from './mediator.ts';
import { type Logger, logging, operations, validation } from './pipeline.ts';
import * as accountAt from './queries/account-at.ts';
import { GetAccountChanges, getAccountChangesHandler } from './queries/account-changes.ts';
import { GetAccountReplay, getAccountReplayHandler } from './queries/account-replay.ts';
import { ListAccountTransactions, listAccountTransactionsHandler } from './queries/account-transactions.ts';
import * as accounts from './queries/accounts.ts';
import * as analytics from './queries/analytics.ts';
import { GetArchive, getArchiveHandler } from './queries/archive.ts';
import { ListDeadLetters, listDeadLettersHandler } from './queries/dead-letters.ts';
import * as holds from './queries/holds.ts';
import * as orphanTransfers from './queries/orphan-transfers.ts';
import { ListParkedCloudEvents, listParkedCloudEventsHandler } from './queries/parked-cloud-events.ts';
import * as persons from './queries/persons.ts';
import { ListSnapshots, listSnapshotsHandler } from './queries/snapshots.ts';
import { GetStatement, getStatementHandler } from './queries/statement.ts';
import * as streamHealth from './queries/stream-health.ts';
import * as streams from './queries/streams.ts';
import * as transactions from './queries/transactions.ts';
import * as transfers from './queries/transfers.ts';

/** @param measuring sees every message first, so that it also counts what validation refuses */
export function createMediator(bank: Bank, logger: Logger, measuring: Behaviour): Mediator {
  return new Mediator([measuring, logging(logger), validation, operations])
    .register(RegisterPerson, registerPersonHandler(bank))
    .register(CreateBankAccount, createBankAccountHandler(bank))
    .register(CreateDeposit, createDepositHandler(bank))
    .register(CreateWithdrawal, createWithdrawalHandler(bank))
    .register(RequestTransfer, requestTransferHandler(bank))
    .register(PayOutSuspense, payOutSuspenseHandler(bank))
    .register(PostBatch, postBatchHandler(bank))
    .register(PostInterest, postInterestHandler(bank))
    .register(ReverseTransaction, reverseTransactionHandler(bank))
    .register(ChangeOverdraftLimit, changeOverdraftLimitHandler(bank))
    .register(CloseBankAccount, closeBankAccountHandler(bank))
    .register(ChangeLimits, changeLimitsHandler(bank))
    .register(ChangeTerms, changeTermsHandler(bank))
    .register(PostInterestForPeriod, postInterestForPeriodHandler(bank))
    .register(FreezeAccount, freezeAccountHandler(bank))
    .register(UnfreezeAccount, unfreezeAccountHandler(bank))
    .register(PlaceHold, placeHoldHandler(bank))
    .register(CaptureHold, captureHoldHandler(bank))
    .register(ReleaseHold, releaseHoldHandler(bank))
    .register(ExpireHolds, expireHoldsHandler(bank))
    .register(StartArchiveRun, startArchiveRunHandler(bank))
    .register(GetArchive, getArchiveHandler(bank))
    .register(TakeSnapshot, takeSnapshotHandler(bank))
    .register(ListSnapshots, listSnapshotsHandler(bank))
    .register(persons.GetPerson, persons.getPersonHandler(bank))
    .register(persons.ListPersons, persons.listPersonsHandler(bank))
    .register(persons.GetOwnerSummary, persons.getOwnerSummaryHandler(bank))
    .register(accounts.GetAccount, accounts.getAccountHandler(bank))
    .register(accounts.ListAccounts, accounts.listAccountsHandler(bank))
    .register(accounts.ListSuspenseAccounts, accounts.listSuspenseAccountsHandler(bank))
    .register(accounts.GetAccountsByOwner, accounts.getAccountsByOwnerHandler(bank))
    .register(accountAt.GetAccountBalance, accountAt.getAccountBalanceHandler(bank))
    .register(accountAt.GetAccountState, accountAt.getAccountStateHandler(bank))
    .register(GetAccountChanges, getAccountChangesHandler(bank))
    .register(GetAccountReplay, getAccountReplayHandler(bank))
    .register(ListAccountTransactions, listAccountTransactionsHandler(bank))
    .register(GetStatement, getStatementHandler(bank))
    .register(analytics.GetAccountAnalytics, analytics.getAccountAnalyticsHandler(bank))
    .register(analytics.GetOwnerAnalytics, analytics.getOwnerAnalyticsHandler(bank))
    .register(analytics.GetBankAnalytics, analytics.getBankAnalyticsHandler(bank))
    .register(holds.GetHold, holds.getHoldHandler(bank))
    .register(holds.ListAccountHolds, holds.listAccountHoldsHandler(bank))
    .register(transactions.GetTransaction, transactions.getTransactionHandler(bank))
    .register(transfers.GetTransfer, transfers.getTransferHandler(bank))
    .register(transfers.ListTransfers, transfers.listTransfersHandler(bank))
    .register(RebuildProjection, projectionRequestHandler(bank, 'rebuild'))
    .register(CancelRebuild, projectionRequestHandler(bank, 'cancel'))
    .register(PauseProjection, projectionRequestHandler(bank, 'pause'))
    .register(ResumeProjection, projectionRequestHandler(bank, 'resume'))
    .register(RetryDeadLetters, retryDeadLettersHandler(bank))
    .register(RetryDeadLetter, retryDeadLetterHandler(bank))
    .register(DiscardDeadLetter, discardDeadLetterHandler(bank))
    .register(ListDeadLetters, listDeadLettersHandler(bank))
    .register(ListParkedCloudEvents, listParkedCloudEventsHandler(bank))
    .register(parked.ReplayParkedCloudEvents, parked.replayParkedCloudEventsHandler(bank))
    .register(parked.DiscardParkedCloudEvents, parked.discardParkedCloudEventsHandler(bank))
    .register(streamHealth.GetStreamHealthSummary, streamHealth.getStreamHealthSummaryHandler(bank))
    .register(streamHealth.ListStreamHealth, streamHealth.listStreamHealthHandler(bank))
    .register(streamHealth.GetStreamHealth, streamHealth.getStreamHealthHandler(bank))
    .register(orphanTransfers.ListOrphanTransfers, orphanTransfers.listOrphanTransfersHandler(bank))
    .register(streams.ListStreams, streams.listStreamsHandler(bank))
    .register(streams.ReadStream, streams.readStreamHandler(bank))
    .register(streams.ListAccountEvents, streams.listAccountEventsHandler(bank));
}
