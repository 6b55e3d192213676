/* The client: a method for every call of the REST API that an agent makes, and what makes them comfortable. */
import { decryptCredential, generateKeyPair } from './e2ee.mjs';
import { HumanOpsError } from './errors.mjs';
import { Listing } from './listing.mjs';
import { backoff, part, pause, Transport } from './transport.mjs';

/** @import * as Api from '../types/api.d.ts' */
/** @typedef {import('./transport.mjs').ClientOptions} ClientOptions */
/** @typedef {import('./transport.mjs').RequestOptions} RequestOptions */
/** @typedef {import('./e2ee.mjs').PrivateKey} PrivateKey */
/** @typedef {{ publicKey: string, privateKey: string }} KeyPair */
/**
 * until: a status, several, or a test of the task; by default what ends the work or takes it to staff: COMPLETED, CANCELLED,
 * DISPUTED.  onChange: told of each new status and verdict, to answer an estimate for example; it is waited for.  timeout: milliseconds.
 * @typedef {{
 *   until?: Api.TaskStatus | Api.TaskStatus[] | ((task: Api.Task) => boolean),
 *   onChange?: (task: Api.Task) => unknown,
 *   timeout?: number,
 *   signal?: AbortSignal,
 * }} WaitOptions
 */

const DEADLINE_DAYS = 7,
  DAY_MS = 86_400_000;
const ENDS = ['COMPLETED', 'CANCELLED', 'DISPUTED'];
/* Asked in shorter steps first: simulated tasks move every second, people every hour.  100 calls a minute are allowed. */
const POLL_FIRST_MS = 1000,
  POLL_MAX_MS = 15_000,
  EVENTS_MS = 2000;
/* Where a proof type is wished that is not the category's own, its default requirement would ask for another kind of proof. */
const PROOF_DEFAULTS = {
  PHOTO: 'Photo that shows the finished work',
  SCREENSHOT: 'Screenshot that shows the finished work',
  CONFIRMATION: 'Written confirmation of what was done, with its result',
  ARTIFACT: 'File that holds the result',
};

/** A member of a method's options that is none of the call's fields. @param {string} what @returns {never} */
const misused = (what) => {
  throw new TypeError(what);
};

/**
 * A client of the HumanOps API.  Calls that move money bear an idempotency key of their own and so happen once, however often
 * they have to be sent; what is worth another try is tried again.  Every failure is a {@link HumanOpsError}, except that a call
 * ended by your signal throws the signal's reason.
 */
export class HumanOpsClient {
  #transport;
  /** @type {Promise<Api.CategoryList> | null} */
  #categories = null;

  /** @param {ClientOptions | Transport} [options] */
  constructor(options = {}) {
    this.#transport = options instanceof Transport ? options : new Transport(options);
  }

  /** The address in use, without /api/v1. */
  get baseUrl() {
    return this.#transport.origin;
  }

  /** A client like this one that uses another key, as that of {@link register}. @param {string} apiKey */
  withKey(apiKey) {
    return new HumanOpsClient(this.#transport.with(apiKey));
  }

  /** @param {string} path @param {object} [query] @param {RequestOptions} [options] */
  #get(path, query, options) {
    return this.#transport.request('GET', path, { query }, options);
  }

  /** @param {string} path @param {object | undefined} body @param {RequestOptions} [options] */
  #post(path, body, options) {
    return this.#transport.request('POST', path, { body: body ?? {} }, options);
  }

  /**
   * A call that moves money.
   * @param {string} path
   * @param {object | undefined} body
   * @param {RequestOptions} [options]
   */
  #money(path, body, options) {
    return this.#transport.request('POST', path, { body: body ?? {}, isMoney: true }, options);
  }

  /**
   * @param {string} path
   * @param {{ cursor?: string, offset?: number }} query
   * @param {RequestOptions} [options]
   * @returns {any}
   */
  #list(path, { cursor, ...query }, options) {
    return new Listing(
      (at) => this.#get(path, at === undefined ? query : { ...query, offset: undefined, cursor: at }, options),
      { cursor },
    );
  }

  /* the account */

  /**
   * Makes an account.  Needs no key; the answer's `api_key` is shown only this once.
   * @param {Api.AgentNew} agent @param {RequestOptions} [options] @returns {Promise<Api.AgentRegistered>}
   */
  register(agent, options) {
    return this.#post('/agents/register', agent, options);
  }

  /**
   * @param {{ token: string }} token of the mail
   * @param {RequestOptions} [options]
   * @returns {Promise<Api.EmailVerified>}
   */
  verifyEmail(token, options) {
    return this.#post('/agents/verify-email', token, options);
  }

  /** @param {RequestOptions} [options] @returns {Promise<Api.MailSent>} */
  resendVerification(options) {
    return this.#post('/agents/resend-verification', undefined, options);
  }

  /** Tier, limits, today's use of them, fee. @param {RequestOptions} [options] @returns {Promise<Api.Agent>} */
  me(options) {
    return this.#get('/agents/me', undefined, options);
  }

  /** @param {Api.KeyNew} [key] @param {RequestOptions} [options] @returns {Promise<Api.KeyCreated>} */
  createKey(key, options) {
    return this.#post('/agents/keys', key, options);
  }

  /** @param {RequestOptions} [options] @returns {Promise<Api.KeyList>} */
  keys(options) {
    return this.#get('/agents/keys', undefined, options);
  }

  /** For good. @param {string} keyId @param {RequestOptions} [options] @returns {Promise<Api.KeyRevoked>} */
  async revokeKey(keyId, options) {
    return this.#transport.request('DELETE', `/agents/keys/${part(keyId)}`, {}, options);
  }

  /* money */

  /** @param {RequestOptions} [options] @returns {Promise<Api.Balance>} */
  balance(options) {
    return this.#get('/agents/balance', undefined, options);
  }

  /**
   * The statement, newest first.
   * @param {Api.PageQuery} [query]
   * @param {RequestOptions} [options]
   * @returns {Listing<Api.Transaction, Api.TransactionList>}
   */
  transactions(query = {}, options) {
    return this.#list('/agents/transactions', query, options);
  }

  /**
   * One page of the statement as CSV.
   * @param {Api.PageQuery} [query]
   * @param {RequestOptions} [options]
   * @returns {Promise<string>}
   */
  transactionsCsv(query, options) {
    return this.#transport.request('GET', '/agents/transactions', { query, accept: 'text/csv' }, options);
  }

  /**
   * Where USDC goes, and from which wallet.
   * @param {RequestOptions} [options]
   * @returns {Promise<Api.DepositAddress>}
   */
  depositAddress(options) {
    return this.#get('/agents/deposit-address', undefined, options);
  }

  /**
   * A message for the wallet to sign.
   * @param {{ chain?: 'base' }} [challenge]
   * @param {RequestOptions} [options]
   * @returns {Promise<Api.WalletChallenge>}
   */
  walletChallenge(challenge, options) {
    return this.#post('/agents/wallet/challenge', challenge, options);
  }

  /** @param {Api.WalletNew} wallet @param {RequestOptions} [options] @returns {Promise<Api.Wallet>} */
  bindWallet(wallet, options) {
    return this.#transport.request('PUT', '/agents/wallet', { body: { chain: 'base', ...wallet } }, options);
  }

  /**
   * The bound wallet; `wallet_not_found` without one.
   * @param {RequestOptions} [options]
   * @returns {Promise<Api.Wallet>}
   */
  wallet(options) {
    return this.#get('/agents/wallet', undefined, options);
  }

  /**
   * Confirms a deposit that was sent; `pending` until it has its confirmations.
   * @param {Api.UsdcDepositNew} deposit
   * @param {RequestOptions} [options]
   * @returns {Promise<Api.UsdcDeposit>}
   */
  depositUsdc(deposit, options) {
    return this.#money('/agents/deposit/usdc', { chain: 'base', ...deposit }, options);
  }

  /**
   * A deposit by card or bank transfer.
   * @param {Api.FiatDepositNew} deposit
   * @param {RequestOptions} [options]
   * @returns {Promise<Api.FiatDeposit>}
   */
  deposit(deposit, options) {
    return this.#money('/agents/deposit', deposit, options);
  }

  /** @param {string} paymentId @param {RequestOptions} [options] @returns {Promise<Api.FiatDeposit>} */
  depositStatus(paymentId, options) {
    return this.#get('/agents/deposit/status', { payment_id: paymentId }, options);
  }

  /**
   * Unused deposit back to the bound wallet, as USDC.
   * @param {Api.WithdrawalNew} withdrawal
   * @param {RequestOptions} [options]
   * @returns {Promise<Api.Withdrawal>}
   */
  withdraw(withdrawal, options) {
    return this.#money('/agents/withdraw', { chain: 'base', ...withdrawal }, options);
  }

  /** @param {string} payoutId @param {RequestOptions} [options] @returns {Promise<Api.Withdrawal>} */
  async withdrawal(payoutId, options) {
    return this.#get(`/agents/withdraw/status/${part(payoutId)}`, undefined, options);
  }

  /**
   * Newest first.
   * @param {Api.PageQuery} [query]
   * @param {RequestOptions} [options]
   * @returns {Listing<Api.Withdrawal, Api.WithdrawalList>}
   */
  withdrawals(query = {}, options) {
    return this.#list('/agents/withdrawals', query, options);
  }

  /* events */

  /**
   * What happened, oldest first, behind a cursor; `follow` waits for more for ever and bears a service that is away for a while.
   * Keep the list's `cursor` and a client that was down goes on where it was; an event may then come twice, with the same `event_id`.
   * @param {Api.PageQuery & { follow?: boolean, interval?: number }} [query] interval: milliseconds between questions (2000)
   * @param {RequestOptions} [options] @returns {Listing<Api.Event, Api.EventList>}
   */
  events({ follow = false, interval = EVENTS_MS, cursor, ...query } = {}, options) {
    /** @param {string | undefined} at */
    const load = (at) => this.#get('/events', { ...query, cursor: at }, options);
    /** @param {string | undefined} at */
    const insist = async (at) => {
      for (let attempt = 0; ; attempt++) {
        try {
          return await load(at);
        } catch (error) {
          if (!(error instanceof HumanOpsError) || !error.isRetryable) throw error;
          await pause(Math.max((error.retryAfter ?? 0) * 1000, backoff(attempt)), options?.signal);
        }
      }
    };
    return new Listing(follow ? insist : load, {
      cursor,
      wait: follow ? () => pause(interval, options?.signal) : undefined,
    });
  }

  /* posting tasks */

  /** Every task type with domain, default proof and highest reward; asked once. @returns {Promise<Api.CategoryList>} */
  categories() {
    return (this.#categories ??= this.#get('/tasks/categories').catch((error) => {
      this.#categories = null;
      throw error;
    }));
  }

  /**
   * Posts a task and escrows reward and fee.
   * @param {Api.TaskNew} task
   * @param {RequestOptions} [options]
   * @returns {Promise<Api.TaskCreated>}
   */
  createTask(task, options) {
    return this.#money('/tasks', task, options);
  }

  /**
   * Posts a task of a digital category.
   * @param {Api.DigitalTaskNew} task @param {RequestOptions} [options] @returns {Promise<Api.TaskCreated>}
   */
  async dispatchDigitalTask(task, options) {
    return this.createTask(await this.#completed(task, options), options);
  }

  /**
   * Posts a task that delivers a credential, with a key pair made here: only the holder of `privateKey` can read what comes, so
   * keep it until {@link retrieveCredential}.
   * @param {Api.CredentialTaskNew & { keyPair?: KeyPair }} task keyPair: of yours, as {@link generateKeyPair} makes them
   * @param {RequestOptions} [options]
   * @returns {Promise<{ task: Api.TaskCreated, privateKey: string, publicKey: string }>}
   */
  async dispatchCredentialTask({ keyPair, ...task }, options) {
    if (options?.idempotencyKey !== undefined && keyPair === undefined)
      misused('with an idempotencyKey of yours give a keyPair too, or a repeat would have another one');
    const { publicKey, privateKey } = keyPair ?? (await generateKeyPair());
    const body = { ...(await this.#completed(task, options)), agent_public_key: publicKey };
    return { task: await this.createTask(body, options), privateKey, publicKey };
  }

  /**
   * The task with what was left out.
   * @param {Api.DispatchNew & { category: Api.TaskType }} task
   * @param {RequestOptions} [options]
   * @returns {Promise<Api.TaskNew>}
   */
  async #completed({ category, deadline, proof_requirements: requirements, ...task }, options) {
    if (options?.idempotencyKey !== undefined && deadline === undefined)
      misused('with an idempotencyKey of yours give a deadline too, or a repeat would have another one');
    return {
      ...task,
      task_type: category,
      deadline: deadline ?? new Date(Date.now() + DEADLINE_DAYS * DAY_MS).toISOString(),
      proof_requirements: requirements ?? (await this.#proofDefault(category, task.proof_type)),
    };
  }

  /** @param {Api.TaskType} type @param {Api.ProofType} [proofType] */
  async #proofDefault(type, proofType) {
    const row = (await this.categories()).data.find((one) => one.task_type === type);
    if (row === undefined) return []; /* the service says what is wrong */
    return proofType === undefined || proofType === row.default_proof_type
      ? row.default_proof_requirements
      : [PROOF_DEFAULTS[proofType]];
  }

  /* tasks */

  /**
   * Newest first.
   * @param {Api.TaskQuery} [query]
   * @param {RequestOptions} [options]
   * @returns {Listing<Api.TaskRow, Api.TaskList>}
   */
  tasks(query = {}, options) {
    return this.#list('/tasks', query, options);
  }

  /**
   * A task with proof, verdict, messages and events.
   * @param {string} taskId
   * @param {RequestOptions} [options]
   * @returns {Promise<Api.Task>}
   */
  async task(taskId, options) {
    return this.#get(`/tasks/${part(taskId)}`, undefined, options);
  }

  /**
   * Waits until a task is there.
   * @param {string} taskId @param {WaitOptions} [options]
   * @returns {Promise<Api.Task>}
   * Throws HumanOpsError `timeout`, and `task_ended` when what is waited for cannot come any more; details tell the status.
   */
  async waitForTask(taskId, { until = /** @type {any} */ (ENDS), onChange, timeout, signal } = {}) {
    const wanted = typeof until === 'string' ? [until] : until;
    const isThere =
      typeof wanted === 'function' ? wanted : (/** @type {Api.Task} */ task) => wanted.includes(task.status);
    const end = Date.now() + (timeout ?? Infinity);
    for (let known, step = POLL_FIRST_MS; ; step = Math.min(step * 1.3, POLL_MAX_MS)) {
      const task = await this.task(taskId, { signal });
      if (isThere(task)) return task;
      const details = { task_id: taskId, status: task.status };
      if (
        task.status === 'CANCELLED' ||
        (task.status === 'COMPLETED' && !(Array.isArray(wanted) && wanted.includes('DISPUTED')))
      )
        throw new HumanOpsError({
          code: 'task_ended',
          details,
          message: `The task is ${task.status}; what is waited for comes no more.`,
        });
      /* A verdict that leaves the decision to the agent changes no status. */
      const standing = `${task.status} ${task.guardian_result?.decision ?? ''}`;
      if (standing !== known) {
        known = standing;
        step = POLL_FIRST_MS;
        await onChange?.(task);
      }
      const left = end - Date.now();
      if (left <= 0)
        throw new HumanOpsError({ code: 'timeout', details, message: `The task is still ${task.status}.` });
      await pause(Math.min(step, left), signal);
    }
  }

  /**
   * The operator who claimed may start.
   * @param {string} taskId
   * @param {RequestOptions} [options]
   * @returns {Promise<Api.EstimateApproved>}
   */
  async approveEstimate(taskId, options) {
    return this.#money(`/tasks/${part(taskId)}/estimate/approve`, undefined, options);
  }

  /**
   * The task is open to others again.
   * @param {string} taskId
   * @param {{ reason?: string }} [why]
   * @param {RequestOptions} [options]
   * @returns {Promise<Api.EstimateRejected>}
   */
  async rejectEstimate(taskId, why, options) {
    return this.#post(`/tasks/${part(taskId)}/estimate/reject`, why, options);
  }

  /**
   * Before the work begins; reward and fee return.
   * @param {string} taskId
   * @param {RequestOptions} [options]
   * @returns {Promise<Api.TaskCancelled>}
   */
  async cancelTask(taskId, options) {
    return this.#money(`/tasks/${part(taskId)}/cancel`, undefined, options);
  }

  /**
   * Your own verdict on submitted proof.
   * @param {string} taskId
   * @param {{ decision: 'APPROVE' | 'REJECT', reason?: string }} verdict
   * @param {RequestOptions} [options]
   * @returns {Promise<Api.Verdict>}
   */
  async verifyTask(taskId, verdict, options) {
    return this.#money(`/tasks/${part(taskId)}/verify`, verdict, options);
  }

  /**
   * While the pay is held.
   * @param {string} taskId
   * @param {{ reason: string }} why
   * @param {RequestOptions} [options]
   * @returns {Promise<Api.Disputed>}
   */
  async disputeTask(taskId, why, options) {
    return this.#money(`/tasks/${part(taskId)}/dispute`, why, options);
  }

  /**
   * Once, after completion.
   * @param {string} taskId
   * @param {{ rating: number, comment?: string }} rating 1 to 5
   * @param {RequestOptions} [options]
   * @returns {Promise<Api.Rated>}
   */
  async rateTask(taskId, rating, options) {
    return this.#post(`/tasks/${part(taskId)}/rate`, rating, options);
  }

  /** @param {string} taskId @param {RequestOptions} [options] @returns {Promise<Api.MessageList>} */
  async messages(taskId, options) {
    return this.#get(`/tasks/${part(taskId)}/messages`, undefined, options);
  }

  /**
   * To the operator on the task.
   * @param {string} taskId
   * @param {string} message
   * @param {RequestOptions} [options]
   * @returns {Promise<Api.MessageAdded>}
   */
  async sendMessage(taskId, message, options) {
    return this.#post(`/tasks/${part(taskId)}/messages`, { message }, options);
  }

  /**
   * A task that screening blocked, put before staff.
   * @param {string} screeningId of the 422's details
   * @param {{ reason: string }} why
   * @param {RequestOptions} [options]
   * @returns {Promise<Api.Appealed>}
   */
  async appeal(screeningId, why, options) {
    return this.#post('/tasks/appeals', { screening_id: screeningId, ...why }, options);
  }

  /**
   * Verified people near a place.
   * @param {Api.OperatorQuery} query
   * @param {RequestOptions} [options]
   * @returns {Promise<Api.OperatorsFound>}
   */
  searchOperators(query, options) {
    return this.#get('/operators/search', query, options);
  }

  /* what a finished task leaves */

  /**
   * The credential of a completed task, as it is stored.
   * @param {string} taskId
   * @param {RequestOptions} [options]
   * @returns {Promise<Api.Credential>}
   */
  async encryptedCredential(taskId, options) {
    return this.#get(`/tasks/${part(taskId)}/retrieve-credential`, undefined, options);
  }

  /**
   * The credential of a completed task, decrypted here.
   * @param {string} taskId
   * @param {PrivateKey} privateKey
   * @param {RequestOptions} [options]
   * @returns {Promise<any>}
   */
  async retrieveCredential(taskId, privateKey, options) {
    const { encrypted_credential: blob } = await this.encryptedCredential(taskId, options);
    return decryptCredential(privateKey, taskId, blob);
  }

  /**
   * A signed receipt of a completed task; {@link verifyReceipt} checks it.
   * @param {string} taskId
   * @param {RequestOptions} [options]
   * @returns {Promise<Api.Receipt>}
   */
  async receipt(taskId, options) {
    return this.#get(`/tasks/${part(taskId)}/receipt`, undefined, options);
  }

  /** The public keys of receipts. @param {RequestOptions} [options] @returns {Promise<Api.Jwks>} */
  jwks(options) {
    return this.#transport.request(
      'GET',
      '/.well-known/jwks.json',
      { whole: true, accept: 'application/jwk-set+json, application/json' },
      options,
    );
  }

  /**
   * Deliveries of a task's webhooks.
   * @param {string} taskId
   * @param {RequestOptions} [options]
   * @returns {Promise<Api.DeliveryList>}
   */
  async taskWebhooks(taskId, options) {
    return this.#get(`/tasks/${part(taskId)}/webhooks`, undefined, options);
  }

  /**
   * @param {string} taskId
   * @param {string} deliveryId
   * @param {RequestOptions} [options]
   * @returns {Promise<Api.Redelivered>}
   */
  async redeliverWebhook(taskId, deliveryId, options) {
    return this.#post(`/tasks/${part(taskId)}/webhooks/${part(deliveryId)}/redeliver`, undefined, options);
  }
}
