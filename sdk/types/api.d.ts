/*
 * What the API takes and answers: its own field names, times as RFC 3339 texts, money as US dollars.  Answers may gain
 * members.
 * The tests hold every answer of the service against these.
 */

/**
 * Where a task stands; see the lifecycle in the guides. VERIFIED lasts no longer than the moment between the
 * Guardian's approval and completion.
 */
export type TaskStatus =
  | 'PENDING' | 'ESTIMATE_PENDING' | 'ACCEPTED' | 'IN_PROGRESS' | 'SUBMITTED' | 'VERIFIED' | 'COMPLETED' |
  'DISPUTED' | 'CANCELLED';

/**
 * What is to be done. The first four happen at a place, the next five anywhere, and the last four end in an encrypted
 * credential.
 */
export type TaskType =
  | 'VERIFICATION' | 'PHOTO' | 'DELIVERY' | 'INSPECTION' | 'CAPTCHA_SOLVING' | 'FORM_FILLING' |
  'BROWSER_INTERACTION' | 'CONTENT_REVIEW' | 'DATA_VALIDATION' | 'ACCOUNT_CREATION' | 'API_KEY_PROCUREMENT' |
  'PHONE_VERIFICATION' | 'SUBSCRIPTION_SETUP';

/** Follows from the task type. */
export type TaskDomain = 'PHYSICAL' | 'DIGITAL';

/**
 * What the operator hands in: uploaded pictures, a written confirmation, or an artifact (a file or, for credential
 * tasks, a sealed credential).
 */
export type ProofType = 'PHOTO' | 'SCREENSHOT' | 'CONFIRMATION' | 'ARTIFACT';

export type Tier = 'SANDBOX' | 'VERIFIED' | 'STANDARD';

export type Scope = 'read' | 'tasks' | 'funds' | 'keys';

/**
 * How the simulation ends: completed, waiting for your verdict, disputed, waiting for your answer to an estimate, or
 * expired without an operator.
 */
export type Scenario = 'approve' | 'manual_review' | 'reject' | 'estimate' | 'no_operator';

/** Who did it; `sweeper` stands for a time that ran out, `provider` for the payment service. */
export type Actor = 'agent' | 'operator' | 'guardian' | 'sweeper' | 'staff' | 'sandbox' | 'provider' | 'system';

export type TaskEventType =
  | 'task.created' | 'task.claimed' | 'task.estimate_approved' | 'task.estimate_rejected' | 'task.claim_withdrawn' |
  'task.estimate_expired' | 'task.started' | 'task.aborted' | 'task.submitted' | 'task.verified' | 'task.manual_review'
  | 'task.disputed' | 'task.completed' | 'task.cancelled' | 'task.message';

/** Events that are sent to a task's `callback_url`. */
export type WebhookEventType =
  | 'task.claimed' | 'task.aborted' | 'task.submitted' | 'task.verified' | 'task.manual_review' | 'task.disputed' |
  'task.completed' | 'task.cancelled' | 'task.message';

/** Why an operator stopped before the work was done. */
export type AbortReason = 'unsafe' | 'cannot_complete';

export type ResolutionKind = 'PAY_OPERATOR' | 'REFUND_AGENT' | 'SPLIT';

/** Degrees, WGS 84. */
export interface Position {
  lat: number;
  lng: number;
}

export interface CursorPage {
  limit: number;
  /** Send it as `cursor` for the next page; null: this was the last. */
  next_cursor: string | null;
}

export interface OffsetPage {
  limit: number;
  offset: number;
  total?: number;
}

export interface AgentRegistered {
  agent_id: string;
  /** Shown this once; all scopes, no budget. */
  api_key: string;
  tier: Tier;
  verification_required: boolean;
  sandbox_info: {
    what: string;
    why: string;
    how_to_upgrade: string;
    limits: Limits;
  };
  message: string;
  /** Development only: the link of the mail. */
  verification_url?: string;
}

export interface EmailVerified {
  agent_id: string;
  tier: Tier;
  message: string;
}

export interface MailSent {
  message: string;
  /** Development only. */
  verification_url?: string;
}

export interface KeyCreated {
  id: string;
  /** Shown this once. */
  api_key: string;
  key_prefix: string;
  name: string;
  created_at: string;
  expires_at: string | null;
  message: string;
}

export interface Key {
  id: string;
  /** The first characters, to tell keys apart. */
  keyPrefix: string;
  name: string;
  lastUsed: string | null;
  createdAt: string;
  scopes: Scope[];
  /** Reward and fee of real tasks a UTC day; null: no budget. */
  max_daily_spend_usd: number | null;
  expires_at: string | null;
}

export interface KeyList {
  data: Key[];
}

export interface KeyRevoked {
  revoked: true;
}

export interface Balance {
  /** Free to spend. */
  deposit_balance: number;
  /** Held for open tasks: rewards and fees. */
  escrow_balance: number;
  /**
   * There only if a deposit vanished from the chain after it was spent: as much of the deposit cannot be spent, and the
   * next deposits pay it first.
   */
  owed_usd?: number;
  currency: 'USD';
}

/** What a tier allows in a UTC day. */
export interface Limits {
  max_daily_tasks: number;
  max_task_value_usd: number;
  max_daily_spend_usd: number;
}

/** Tasks created since midnight UTC, and rewards of those not cancelled. */
export interface Used {
  tasks: number;
  spend_usd: number;
}

export interface Agent {
  agent_id: string;
  name: string;
  email: string;
  company: string | null;
  tier: Tier;
  email_verified: boolean;
  limits: Limits;
  /** Counts against `limits`; in tier SANDBOX that is the simulated tasks. */
  used_today: Used;
  sandbox_used_today: Used;
  fee: {
    tier: 'STANDARD' | 'GROWTH' | 'ENTERPRISE';
    percent: number;
    minimum_usd: number;
    /** Rewards of real tasks of the last 30 days that were not cancelled; it decides the percentage. */
    spend_30_days_usd: number;
  };
  how_to_upgrade: string | null;
  created_at: string;
}

export interface Transaction {
  transaction_id: string;
  /** What moved the money. */
  /** `deposit_usdc`, `escrow_hold`, `escrow_refund`, `escrow_release`, … */
  type: string;
  deposit_change_usd: number;
  escrow_change_usd: number;
  /** After this; there if the deposit changed. */
  deposit_balance?: number;
  /** After this; there if the escrow changed. */
  escrow_balance?: number;
  task_id?: string;
  created_at: string;
}

export interface TransactionList {
  data: Transaction[];
  pagination: CursorPage;
}

export interface FiatDeposit {
  /** The booking; null until the money has come. */
  transaction_id: string | null;
  payment_id: string;
  amount_usd: number;
  status: 'pending' | 'completed' | 'failed';
  /** Where a person pays. */
  redirect_url: string | null;
  message: string;
}

export interface Event {
  event_id: string;
  event:
    | 'task.created' | 'task.claimed' | 'task.estimate_approved' | 'task.estimate_rejected' | 'task.claim_withdrawn'
    | 'task.estimate_expired' | 'task.started' | 'task.aborted' | 'task.submitted' | 'task.verified' | 'task.manual_review' |
    'task.disputed' | 'task.completed' | 'task.cancelled' | 'task.message' | 'deposit.completed' | 'deposit.failed' |
    'deposit.confirmed' | 'deposit.reversed' | 'withdrawal.pending' | 'withdrawal.stuck' | 'withdrawal.completed' |
    'withdrawal.failed';
  /** Null for events of money. */
  task_id: string | null;
  actor: Actor;
  /** The status before. */
  from: string | null;
  /** The status after. */
  to: string;
  timestamp: string;
  guardian_result?: GuardianResult;
  /** The text of a `task.message`, or the last words of an operator who stopped. */
  message?: string;
  /** Of a `task.aborted`. */
  abort_reason?: AbortReason;
  payment_id?: string;
  payout_id?: string;
  transaction_id?: string;
  amount_usd?: number;
  gas_fee_usd?: number;
  tx_hash?: string;
}

export interface EventList {
  data: Event[];
  pagination: {
    limit: number;
    /** Keep it, also when `data` is empty: it is where you go on. */
    next_cursor: string | null;
    has_more: boolean;
  };
}

/** Where. Physical types need all three; digital ones none, or both coordinates. */
export interface TaskLocation {
  lat?: number;
  lng?: number;
  address?: string;
}

export interface TaskNew {
  /** One line. */
  title: string;
  /** What the operator is to do. */
  description: string;
  location?: TaskLocation;
  /**
   * What the operator gets, in whole cents. Real tasks pay at least 10; each type has its own maximum (`GET
   * /tasks/categories`).
   */
  reward_usd: number;
  /** In the future and within 366 days. */
  deadline: string;
  /** What the proof must show, one point each. */
  proof_requirements: string[];
  task_type: TaskType;
  task_domain?: TaskDomain;
  /** By default the type's own. Credential types take ARTIFACT alone. */
  proof_type?: ProofType;
  /** Steps for digital tasks. */
  digital_instructions?: string;
  /** Where webhooks about this task go: https and a public address. */
  callback_url?: string;
  /** Signs those webhooks. Stored encrypted, never shown. */
  callback_secret?: string;
  /**
   * P-256 public key in base64, raw point or SPKI. Required for credential types: only the holder of its private key
   * reads the credential.
   */
  agent_public_key?: string;
  /** Simulate this task, whatever the account's tier. */
  sandbox?: boolean;
  /** For simulated tasks. */
  sandbox_scenario?: Scenario;
}

export interface TaskCreated {
  task_id: string;
  status: 'PENDING';
  reward_usd: number;
  platform_fee: number;
  /** Reward and fee: what was moved from deposit to escrow. Nothing is moved for simulated tasks. */
  total_escrow: number;
  deadline: string;
  created_at: string;
  /** There only on answers about simulated tasks. */
  sandbox?: true;
  /** Says in words that the task is simulated. */
  sandbox_notice?: string;
}

/** Who does it. */
export interface TaskOperator {
  id: string;
  name: string;
  /** Mean of 1 to 5 stars; null: not rated yet. */
  rating: number | null;
}

export interface Requirement {
  requirement: string;
  met: boolean;
  note?: string;
}

/** What the AI Guardian thinks of the proof. */
export interface GuardianResult {
  /** From a confidence of 90 on APPROVE, from 50 on MANUAL_REVIEW, below that REJECT. */
  decision: 'APPROVE' | 'MANUAL_REVIEW' | 'REJECT';
  confidence: number;
  reasoning: string;
  /** What judged; absent in simulations. */
  source?: 'rules' | 'anthropic' | 'openai';
  /** One for each of the task's requirements, in their order. */
  requirements: Requirement[];
}

/** What file and device say of place and time; claims, not facts. */
export interface Evidence {
  exif_position?: Position;
  /** From the task's place. */
  exif_distance_m?: number;
  exif_taken_at?: string;
  /** False: the camera gave local time, which is read as UTC here. */
  exif_has_zone?: boolean;
  camera?: string;
  reported_position?: Position;
  reported_distance_m?: number;
  accuracy_m?: number;
  captured_at?: string;
  /** The same file was handed in before. */
  is_reused?: boolean;
  /** A picture much like it was handed in before. */
  is_similar?: boolean;
}

export interface ProofFile {
  /** Works for an hour. */
  url: string;
  media_type: string;
  /** Bytes of the original. */
  size: number;
  /** Of the original, hexadecimal. */
  sha256: string;
  evidence: Evidence;
}

/** What the operator handed in. */
export interface Proof {
  /** Links that work for an hour. */
  photos?: string[];
  /** The same files with what is known of them. */
  files?: ProofFile[];
  notes?: string;
  confirmation_text?: string;
  reference_url?: string;
  submittedAt: string;
}

export interface Estimate {
  estimate_minutes: number;
  estimate_note: string | null;
  claimed_at: string;
  /** Unanswered until then, the task is open to others again. */
  approval_deadline: string | null;
}

export interface Dispute {
  reason: string | null;
  disputed_at: string | null;
  resolution: Resolution | null;
}

/** What staff decided. */
export interface Resolution {
  resolution: ResolutionKind;
  /** What the operator keeps. */
  operator_usd: number;
  note: string | null;
}

export interface TaskPlace {
  lat: number | null;
  lng: number | null;
  /** `Remote/Digital` where a task has no place. */
  address: string;
}

export interface Message {
  message_id: string;
  sender: 'agent' | 'operator' | 'staff';
  message: string;
  created_at: string;
}

export interface TaskEvent {
  event_id: string;
  type: TaskEventType;
  actor: Actor;
  from: TaskStatus | null;
  to: TaskStatus;
  at: string;
  /** Of a `task.aborted`. */
  abort_reason?: AbortReason;
}

/** A task with its messages and its audit trail. */
export interface Task {
  task_id: string;
  title: string;
  description: string;
  status: TaskStatus;
  task_type: TaskType;
  task_domain: TaskDomain;
  proof_type: ProofType;
  location: TaskPlace;
  reward_usd: number;
  platform_fee_usd: number;
  deadline: string;
  proof_requirements: string[];
  digital_instructions: string | null;
  proof: Proof | null;
  guardian_result: GuardianResult | null;
  /** Null until somebody has claimed the task. */
  operator: TaskOperator | null;
  /** While it waits for your answer. */
  estimate?: Estimate;
  callback_url: string | null;
  agent_public_key: string | null;
  cancel_reason: 'agent' | 'expired' | 'dispute' | 'unsafe' | null;
  /** How many operators stopped because they did not feel safe; at three the task is cancelled. */
  safety_stops: number;
  dispute?: Dispute;
  /** Yours. */
  rating?: number;
  rating_comment?: string | null;
  accepted_at: string | null;
  started_at: string | null;
  submitted_at: string | null;
  verified_at: string | null;
  completed_at: string | null;
  cancelled_at: string | null;
  created_at: string;
  sandbox_scenario?: Scenario;
  /** There only on answers about simulated tasks. */
  sandbox?: true;
  /** Says in words that the task is simulated. */
  sandbox_notice?: string;
  messages: Message[];
  /** The audit trail, oldest first. */
  events: TaskEvent[];
}

export interface TaskRow {
  task_id: string;
  title: string;
  status: TaskStatus;
  task_type: TaskType;
  reward_usd: number;
  operator: TaskOperator | null;
  created_at: string;
  deadline: string;
  /** There only on answers about simulated tasks. */
  sandbox?: true;
  /** Says in words that the task is simulated. */
  sandbox_notice?: string;
}

export interface TaskList {
  data: TaskRow[];
  pagination: {
    limit: number;
    offset: number;
    /** All that the filter fits. */
    total: number;
    next_cursor: string | null;
  };
}

export interface Category {
  task_type: TaskType;
  description: string;
  task_domain: TaskDomain;
  default_proof_type: ProofType;
  default_proof_requirements: string[];
  min_reward_usd: number;
  max_reward_usd: number;
  requires_agent_public_key: boolean;
}

export interface CategoryList {
  data: Category[];
}

export interface Appealed {
  screening_id: string;
  status: 'PENDING';
  message: string;
}

export interface TaskCancelled {
  task_id: string;
  status: 'CANCELLED';
  refunded_usd: number;
  /** There only on answers about simulated tasks. */
  sandbox?: true;
  /** Says in words that the task is simulated. */
  sandbox_notice?: string;
}

export interface Attempt {
  attempt: number;
  /** What your server answered; null: nothing came. */
  status: number | null;
  error: string | null;
  duration_ms: number;
  at: string;
}

export interface Delivery {
  delivery_id: string;
  event_id: string;
  event: WebhookEventType;
  state: 'pending' | 'delivered' | 'failed';
  created_at: string;
  next_attempt_at: string | null;
  delivered_at: string | null;
  attempts: Attempt[];
}

export interface DeliveryList {
  data: Delivery[];
}

export interface Redelivered {
  delivery_id: string;
  state: 'pending';
}

export interface EstimateApproved {
  task_id: string;
  status: 'ACCEPTED';
  accepted_at: string;
  operator: TaskOperator;
  estimate_minutes: number;
  /** There only on answers about simulated tasks. */
  sandbox?: true;
  /** Says in words that the task is simulated. */
  sandbox_notice?: string;
}

export interface EstimateRejected {
  task_id: string;
  status: 'PENDING';
  message: string;
  /** There only on answers about simulated tasks. */
  sandbox?: true;
  /** Says in words that the task is simulated. */
  sandbox_notice?: string;
}

export interface Verdict {
  task_id: string;
  status: 'COMPLETED' | 'DISPUTED';
  message: string;
  /** There only on answers about simulated tasks. */
  sandbox?: true;
  /** Says in words that the task is simulated. */
  sandbox_notice?: string;
}

export interface Disputed {
  task_id: string;
  status: 'DISPUTED';
  message: string;
  /** There only on answers about simulated tasks. */
  sandbox?: true;
  /** Says in words that the task is simulated. */
  sandbox_notice?: string;
}

export interface Rated {
  task_id: string;
  rating: number;
  comment: string | null;
  /** There only on answers about simulated tasks. */
  sandbox?: true;
  /** Says in words that the task is simulated. */
  sandbox_notice?: string;
}

export interface MessageList {
  /** Oldest first. */
  data: Message[];
  /** There only on answers about simulated tasks. */
  sandbox?: true;
  /** Says in words that the task is simulated. */
  sandbox_notice?: string;
}

export interface MessageAdded {
  message_id: string;
  created_at: string;
  /** There only on answers about simulated tasks. */
  sandbox?: true;
  /** Says in words that the task is simulated. */
  sandbox_notice?: string;
}

/**
 * ECDH on P-256 with the ephemeral key; HKDF-SHA-256 over the shared x coordinate with an empty salt and the info
 * `humanops/credential/v1/` + task id; AES-256-GCM.
 */
export interface EncryptedCredential {
  /** Base64; the 16-byte tag is its end. */
  ciphertext: string;
  /** Base64 of 12 bytes. */
  iv: string;
  /** Base64 of the raw 65-byte point. */
  ephemeralPublicKey: string;
  algorithm: 'ECDH-P256-AES-256-GCM';
  /** Set by the service. */
  createdAt?: string;
}

export interface Credential {
  task_id: string;
  encrypted_credential: EncryptedCredential;
  /** There only on answers about simulated tasks. */
  sandbox?: true;
  /** Says in words that the task is simulated. */
  sandbox_notice?: string;
}

export interface Receipt {
  task_id: string;
  /** JWS in compact form, ES256. */
  receipt: string;
  jwks_url: string;
  /** There only on answers about simulated tasks. */
  sandbox?: true;
  /** Says in words that the task is simulated. */
  sandbox_notice?: string;
}

/**
 * What a receipt's payload says: the task, the hashes and evidence of its proof, the verdict and the times. Files
 * themselves are not in it.
 */
export interface ReceiptClaims {
  iss: string;
  sub: string;
  iat: number;
  task: Record<string, any>;
  operator_id: string | null;
  proof: Record<string, any> | null;
  guardian_result: GuardianResult | null;
  sandbox: boolean;
}

export interface Jwks {
  keys: {
    kty: 'EC';
    crv: 'P-256';
    alg: 'ES256';
    use: 'sig';
    kid: string;
    x: string;
    y: string;
  }[];
}

export interface OperatorFound {
  operator_id: string;
  name: string;
  skills: TaskType[];
  rating: number | null;
  rating_count: number;
  /** Rounded to about 1 km. */
  location: Position;
  distance_km: number;
}

export interface OperatorsFound {
  /** Nearest first. */
  data: OperatorFound[];
}

/** The event, as it was when it happened; the same bytes on every attempt. */
export interface WebhookEvent {
  event: WebhookEventType;
  task_id: string;
  status: TaskStatus;
  guardian_result?: GuardianResult;
  /** What the operator wrote, of `task.message` and `task.aborted`. */
  message?: string;
  /** Of a `task.aborted`. */
  abort_reason?: AbortReason;
  timestamp: string;
  id: string;
  /** There only on answers about simulated tasks. */
  sandbox?: true;
  /** Says in words that the task is simulated. */
  sandbox_notice?: string;
}

export interface AgentNew {
  name: string;
  email: string;
  company?: string;
}

export interface KeyNew {
  name?: string;
  /** All that the key used has, unless named. */
  scopes?: Scope[];
  /** Reward and fee of real tasks that the key may spend in a UTC day. */
  max_daily_spend_usd?: number;
  expires_at?: string;
}

export interface PageQuery {
  limit?: number;
  cursor?: string;
}

export interface TaskQuery extends PageQuery {
  status?: TaskStatus;
  /** Not together with `cursor`. */
  offset?: number;
}

export interface OperatorQuery {
  lat: number;
  lng: number;
  /** 1 to 500; 25 unless given. */
  radius_km?: number;
  task_type?: TaskType;
  min_rating?: number;
  limit?: number;
}

export type DigitalCategory =
  | 'CAPTCHA_SOLVING' | 'FORM_FILLING' | 'BROWSER_INTERACTION' | 'CONTENT_REVIEW' | 'DATA_VALIDATION';

export type CredentialCategory = 'ACCOUNT_CREATION' | 'API_KEY_PROCUREMENT' | 'PHONE_VERIFICATION' | 'SUBSCRIPTION_SETUP';

/** A task of a category; what is left out is filled in. */
export interface DispatchNew
  extends Omit<TaskNew, 'task_type' | 'task_domain' | 'deadline' | 'proof_requirements' | 'agent_public_key'> {
  /** Seven days ahead unless given. */
  deadline?: string;
  /** The category's own unless given. */
  proof_requirements?: string[];
}

export interface DigitalTaskNew extends DispatchNew {
  category: DigitalCategory;
}

export interface CredentialTaskNew extends DispatchNew {
  category: CredentialCategory;
}

export interface DepositAddress {
  /** Where USDC is sent to; null in test mode without a chain. */
  address: string | null;
  chain: 'base';
  chain_id: number;
  currency: 'USDC';
  contract_address: string | null;
  confirmations_required: number;
  min_deposit: number;
  max_deposit: number;
  /** The wallet that deposits must come from; null: none is bound yet. */
  wallet_address: string | null;
  wallet_verified: boolean;
  message: string;
}

export interface WalletChallenge {
  chain: 'base';
  nonce: string;
  issued_at: string;
  /** To be signed as it is, with EIP-191 personal_sign, within ten minutes. */
  message: string;
}

export interface WalletNew {
  wallet_address: string;
  nonce: string;
  /** 65 bytes of personal_sign in hex. */
  signature: string;
  chain?: 'base';
}

export interface Wallet {
  agent_id: string;
  wallet_address: string;
  chain: 'base';
  verified_at: string;
}

export interface UsdcDepositNew {
  tx_hash: string;
  amount_usdc: number;
  chain?: 'base';
}

export interface UsdcDeposit {
  transaction_id: string;
  chain: 'base';
  tx_hash: string;
  /** What the chain says. */
  amount_usdc: number;
  amount_credited: number;
  status: 'pending' | 'confirmed' | 'reversed';
  confirmations: number;
  confirmations_required: number;
  message: string;
}

export interface FiatDepositNew {
  amount_usd: number;
  payment_method: 'card' | 'bank_transfer';
  return_url?: string;
}

export interface WithdrawalNew {
  amount_usd: number;
  /** Only the bound wallet; naming it guards against mistakes. */
  wallet_address?: string;
  chain?: 'base';
}

export interface Withdrawal {
  payout_id: string;
  amount_usd: number;
  gas_fee_usd: number;
  net_amount_usd: number;
  to_address: string;
  chain: 'base';
  status: 'PENDING_ONCHAIN' | 'COMPLETED' | 'FAILED';
  /** Null until the transaction is signed. */
  tx_hash: string | null;
  message: string;
  created_at: string;
  settled_at: string | null;
}

export interface WithdrawalList {
  data: Withdrawal[];
  pagination: CursorPage;
}
