/**
 * A client of the HumanOps API.  Calls that move money bear an idempotency key of their own and so happen once, however often
 * they have to be sent; what is worth another try is tried again.  Every failure is a {@link HumanOpsError}, except that a call
 * ended by your signal throws the signal's reason.
 */
export class HumanOpsClient {
    /** @param {ClientOptions | Transport} [options] */
    constructor(options?: ClientOptions | Transport);
    /** The address in use, without /api/v1. */
    get baseUrl(): string;
    /** A client like this one that uses another key, as that of {@link register}. @param {string} apiKey */
    withKey(apiKey: string): HumanOpsClient;
    /**
     * Makes an account.  Needs no key; the answer's `api_key` is shown only this once.
     * @param {Api.AgentNew} agent @param {RequestOptions} [options] @returns {Promise<Api.AgentRegistered>}
     */
    register(agent: Api.AgentNew, options?: RequestOptions): Promise<Api.AgentRegistered>;
    /**
     * @param {{ token: string }} token of the mail
     * @param {RequestOptions} [options]
     * @returns {Promise<Api.EmailVerified>}
     */
    verifyEmail(token: {
        token: string;
    }, options?: RequestOptions): Promise<Api.EmailVerified>;
    /** @param {RequestOptions} [options] @returns {Promise<Api.MailSent>} */
    resendVerification(options?: RequestOptions): Promise<Api.MailSent>;
    /** Tier, limits, today's use of them, fee. @param {RequestOptions} [options] @returns {Promise<Api.Agent>} */
    me(options?: RequestOptions): Promise<Api.Agent>;
    /** @param {Api.KeyNew} [key] @param {RequestOptions} [options] @returns {Promise<Api.KeyCreated>} */
    createKey(key?: Api.KeyNew, options?: RequestOptions): Promise<Api.KeyCreated>;
    /** @param {RequestOptions} [options] @returns {Promise<Api.KeyList>} */
    keys(options?: RequestOptions): Promise<Api.KeyList>;
    /** For good. @param {string} keyId @param {RequestOptions} [options] @returns {Promise<Api.KeyRevoked>} */
    revokeKey(keyId: string, options?: RequestOptions): Promise<Api.KeyRevoked>;
    /** @param {RequestOptions} [options] @returns {Promise<Api.Balance>} */
    balance(options?: RequestOptions): Promise<Api.Balance>;
    /**
     * The statement, newest first.
     * @param {Api.PageQuery} [query]
     * @param {RequestOptions} [options]
     * @returns {Listing<Api.Transaction, Api.TransactionList>}
     */
    transactions(query?: Api.PageQuery, options?: RequestOptions): Listing<Api.Transaction, Api.TransactionList>;
    /**
     * One page of the statement as CSV.
     * @param {Api.PageQuery} [query]
     * @param {RequestOptions} [options]
     * @returns {Promise<string>}
     */
    transactionsCsv(query?: Api.PageQuery, options?: RequestOptions): Promise<string>;
    /**
     * Where USDC goes, and from which wallet.
     * @param {RequestOptions} [options]
     * @returns {Promise<Api.DepositAddress>}
     */
    depositAddress(options?: RequestOptions): Promise<Api.DepositAddress>;
    /**
     * A message for the wallet to sign.
     * @param {{ chain?: 'base' }} [challenge]
     * @param {RequestOptions} [options]
     * @returns {Promise<Api.WalletChallenge>}
     */
    walletChallenge(challenge?: {
        chain?: "base";
    }, options?: RequestOptions): Promise<Api.WalletChallenge>;
    /** @param {Api.WalletNew} wallet @param {RequestOptions} [options] @returns {Promise<Api.Wallet>} */
    bindWallet(wallet: Api.WalletNew, options?: RequestOptions): Promise<Api.Wallet>;
    /**
     * The bound wallet; `wallet_not_found` without one.
     * @param {RequestOptions} [options]
     * @returns {Promise<Api.Wallet>}
     */
    wallet(options?: RequestOptions): Promise<Api.Wallet>;
    /**
     * Confirms a deposit that was sent; `pending` until it has its confirmations.
     * @param {Api.UsdcDepositNew} deposit
     * @param {RequestOptions} [options]
     * @returns {Promise<Api.UsdcDeposit>}
     */
    depositUsdc(deposit: Api.UsdcDepositNew, options?: RequestOptions): Promise<Api.UsdcDeposit>;
    /**
     * A deposit by card or bank transfer.
     * @param {Api.FiatDepositNew} deposit
     * @param {RequestOptions} [options]
     * @returns {Promise<Api.FiatDeposit>}
     */
    deposit(deposit: Api.FiatDepositNew, options?: RequestOptions): Promise<Api.FiatDeposit>;
    /** @param {string} paymentId @param {RequestOptions} [options] @returns {Promise<Api.FiatDeposit>} */
    depositStatus(paymentId: string, options?: RequestOptions): Promise<Api.FiatDeposit>;
    /**
     * Unused deposit back to the bound wallet, as USDC.
     * @param {Api.WithdrawalNew} withdrawal
     * @param {RequestOptions} [options]
     * @returns {Promise<Api.Withdrawal>}
     */
    withdraw(withdrawal: Api.WithdrawalNew, options?: RequestOptions): Promise<Api.Withdrawal>;
    /** @param {string} payoutId @param {RequestOptions} [options] @returns {Promise<Api.Withdrawal>} */
    withdrawal(payoutId: string, options?: RequestOptions): Promise<Api.Withdrawal>;
    /**
     * Newest first.
     * @param {Api.PageQuery} [query]
     * @param {RequestOptions} [options]
     * @returns {Listing<Api.Withdrawal, Api.WithdrawalList>}
     */
    withdrawals(query?: Api.PageQuery, options?: RequestOptions): Listing<Api.Withdrawal, Api.WithdrawalList>;
    /**
     * What happened, oldest first, behind a cursor; `follow` waits for more for ever and bears a service that is away for a while.
     * Keep the list's `cursor` and a client that was down goes on where it was; an event may then come twice, with the same `event_id`.
     * @param {Api.PageQuery & { follow?: boolean, interval?: number }} [query] interval: milliseconds between questions (2000)
     * @param {RequestOptions} [options] @returns {Listing<Api.Event, Api.EventList>}
     */
    events({ follow, interval, cursor, ...query }?: Api.PageQuery & {
        follow?: boolean;
        interval?: number;
    }, options?: RequestOptions): Listing<Api.Event, Api.EventList>;
    /** Every task type with domain, default proof and highest reward; asked once. @returns {Promise<Api.CategoryList>} */
    categories(): Promise<Api.CategoryList>;
    /**
     * Posts a task and escrows reward and fee.
     * @param {Api.TaskNew} task
     * @param {RequestOptions} [options]
     * @returns {Promise<Api.TaskCreated>}
     */
    createTask(task: Api.TaskNew, options?: RequestOptions): Promise<Api.TaskCreated>;
    /**
     * Posts a task of a digital category.
     * @param {Api.DigitalTaskNew} task @param {RequestOptions} [options] @returns {Promise<Api.TaskCreated>}
     */
    dispatchDigitalTask(task: Api.DigitalTaskNew, options?: RequestOptions): Promise<Api.TaskCreated>;
    /**
     * Posts a task that delivers a credential, with a key pair made here: only the holder of `privateKey` can read what comes, so
     * keep it until {@link retrieveCredential}.
     * @param {Api.CredentialTaskNew & { keyPair?: KeyPair }} task keyPair: of yours, as {@link generateKeyPair} makes them
     * @param {RequestOptions} [options]
     * @returns {Promise<{ task: Api.TaskCreated, privateKey: string, publicKey: string }>}
     */
    dispatchCredentialTask({ keyPair, ...task }: Api.CredentialTaskNew & {
        keyPair?: KeyPair;
    }, options?: RequestOptions): Promise<{
        task: Api.TaskCreated;
        privateKey: string;
        publicKey: string;
    }>;
    /**
     * Newest first.
     * @param {Api.TaskQuery} [query]
     * @param {RequestOptions} [options]
     * @returns {Listing<Api.TaskRow, Api.TaskList>}
     */
    tasks(query?: Api.TaskQuery, options?: RequestOptions): Listing<Api.TaskRow, Api.TaskList>;
    /**
     * A task with proof, verdict, messages and events.
     * @param {string} taskId
     * @param {RequestOptions} [options]
     * @returns {Promise<Api.Task>}
     */
    task(taskId: string, options?: RequestOptions): Promise<Api.Task>;
    /**
     * Waits until a task is there.
     * @param {string} taskId @param {WaitOptions} [options]
     * @returns {Promise<Api.Task>}
     * Throws HumanOpsError `timeout`, and `task_ended` when what is waited for cannot come any more; details tell the status.
     */
    waitForTask(taskId: string, { until, onChange, timeout, signal }?: WaitOptions): Promise<Api.Task>;
    /**
     * The operator who claimed may start.
     * @param {string} taskId
     * @param {RequestOptions} [options]
     * @returns {Promise<Api.EstimateApproved>}
     */
    approveEstimate(taskId: string, options?: RequestOptions): Promise<Api.EstimateApproved>;
    /**
     * The task is open to others again.
     * @param {string} taskId
     * @param {{ reason?: string }} [why]
     * @param {RequestOptions} [options]
     * @returns {Promise<Api.EstimateRejected>}
     */
    rejectEstimate(taskId: string, why?: {
        reason?: string;
    }, options?: RequestOptions): Promise<Api.EstimateRejected>;
    /**
     * Before the work begins; reward and fee return.
     * @param {string} taskId
     * @param {RequestOptions} [options]
     * @returns {Promise<Api.TaskCancelled>}
     */
    cancelTask(taskId: string, options?: RequestOptions): Promise<Api.TaskCancelled>;
    /**
     * Your own verdict on submitted proof.
     * @param {string} taskId
     * @param {{ decision: 'APPROVE' | 'REJECT', reason?: string }} verdict
     * @param {RequestOptions} [options]
     * @returns {Promise<Api.Verdict>}
     */
    verifyTask(taskId: string, verdict: {
        decision: "APPROVE" | "REJECT";
        reason?: string;
    }, options?: RequestOptions): Promise<Api.Verdict>;
    /**
     * While the pay is held.
     * @param {string} taskId
     * @param {{ reason: string }} why
     * @param {RequestOptions} [options]
     * @returns {Promise<Api.Disputed>}
     */
    disputeTask(taskId: string, why: {
        reason: string;
    }, options?: RequestOptions): Promise<Api.Disputed>;
    /**
     * Once, after completion.
     * @param {string} taskId
     * @param {{ rating: number, comment?: string }} rating 1 to 5
     * @param {RequestOptions} [options]
     * @returns {Promise<Api.Rated>}
     */
    rateTask(taskId: string, rating: {
        rating: number;
        comment?: string;
    }, options?: RequestOptions): Promise<Api.Rated>;
    /** @param {string} taskId @param {RequestOptions} [options] @returns {Promise<Api.MessageList>} */
    messages(taskId: string, options?: RequestOptions): Promise<Api.MessageList>;
    /**
     * To the operator on the task.
     * @param {string} taskId
     * @param {string} message
     * @param {RequestOptions} [options]
     * @returns {Promise<Api.MessageAdded>}
     */
    sendMessage(taskId: string, message: string, options?: RequestOptions): Promise<Api.MessageAdded>;
    /**
     * A task that screening blocked, put before staff.
     * @param {string} screeningId of the 422's details
     * @param {{ reason: string }} why
     * @param {RequestOptions} [options]
     * @returns {Promise<Api.Appealed>}
     */
    appeal(screeningId: string, why: {
        reason: string;
    }, options?: RequestOptions): Promise<Api.Appealed>;
    /**
     * Verified people near a place.
     * @param {Api.OperatorQuery} query
     * @param {RequestOptions} [options]
     * @returns {Promise<Api.OperatorsFound>}
     */
    searchOperators(query: Api.OperatorQuery, options?: RequestOptions): Promise<Api.OperatorsFound>;
    /**
     * The credential of a completed task, as it is stored.
     * @param {string} taskId
     * @param {RequestOptions} [options]
     * @returns {Promise<Api.Credential>}
     */
    encryptedCredential(taskId: string, options?: RequestOptions): Promise<Api.Credential>;
    /**
     * The credential of a completed task, decrypted here.
     * @param {string} taskId
     * @param {PrivateKey} privateKey
     * @param {RequestOptions} [options]
     * @returns {Promise<any>}
     */
    retrieveCredential(taskId: string, privateKey: PrivateKey, options?: RequestOptions): Promise<any>;
    /**
     * A signed receipt of a completed task; {@link verifyReceipt} checks it.
     * @param {string} taskId
     * @param {RequestOptions} [options]
     * @returns {Promise<Api.Receipt>}
     */
    receipt(taskId: string, options?: RequestOptions): Promise<Api.Receipt>;
    /** The public keys of receipts. @param {RequestOptions} [options] @returns {Promise<Api.Jwks>} */
    jwks(options?: RequestOptions): Promise<Api.Jwks>;
    /**
     * Deliveries of a task's webhooks.
     * @param {string} taskId
     * @param {RequestOptions} [options]
     * @returns {Promise<Api.DeliveryList>}
     */
    taskWebhooks(taskId: string, options?: RequestOptions): Promise<Api.DeliveryList>;
    /**
     * @param {string} taskId
     * @param {string} deliveryId
     * @param {RequestOptions} [options]
     * @returns {Promise<Api.Redelivered>}
     */
    redeliverWebhook(taskId: string, deliveryId: string, options?: RequestOptions): Promise<Api.Redelivered>;
    #private;
}
export type ClientOptions = import("./transport.mjs").ClientOptions;
export type RequestOptions = import("./transport.mjs").RequestOptions;
export type PrivateKey = import("./e2ee.mjs").PrivateKey;
export type KeyPair = {
    publicKey: string;
    privateKey: string;
};
/**
 * until: a status, several, or a test of the task; by default what ends the work or takes it to staff: COMPLETED, CANCELLED,
 * DISPUTED.  onChange: told of each new status and verdict, to answer an estimate for example; it is waited for.  timeout: milliseconds.
 */
export type WaitOptions = {
    until?: Api.TaskStatus | Api.TaskStatus[] | ((task: Api.Task) => boolean);
    onChange?: (task: Api.Task) => unknown;
    timeout?: number;
    signal?: AbortSignal;
};
import type * as Api from '../types/api.d.ts';
import { Listing } from './listing.mjs';
import { Transport } from './transport.mjs';
