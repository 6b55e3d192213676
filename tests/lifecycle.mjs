/*
 * The lifecycle and the ledger once more, written from the specification (sections 4 and 5) and sharing nothing with the
 * programs: what each call must answer in the state that the calls before it have led to, and what everybody then has.  It
 * knows no HTTP and no clock; the caller says what time it is.  Money is in cents, times in milliseconds since 1970.
 */
const HOUR = 3_600_000, DAY = 24 * HOUR;
const HOLD = 7 * DAY, APPROVAL = DAY, REVIEW = 7 * DAY, GRACE = DAY;

export const TIERS = {
  VERIFIED: { task: 100_00, tasks: 10, spend: 200_00 },
  STANDARD: { task: 10_000_00, tasks: 100, spend: 50_000_00 },
};

const yes = (status = 200) => ({ status });
const no = (status, code) => ({ status, code });
const conflict = () => no(409, 'task_state_conflict');

/* From the trailing 30 days' spend; half a cent goes up, and a dollar is the least. */
export function feeOf(reward, spend) {
  const points = spend > 25_000_00 ? 500 : spend >= 5_000_00 ? 800 : 1000;
  return Math.max(100, Math.floor((reward * points + 5000) / 10_000));
}

export class Lifecycle {
  agents = [];
  operators = [];
  tasks = [];

  addAgent(tier, deposit) {
    const agent = { tier, deposit, escrow: 0, isSuspended: false };
    this.agents.push(agent);
    return agent;
  }

  addOperator() {
    const operator = { pending: 0, available: 0, earned: 0, kyc: 'VERIFIED', isSuspended: false };
    this.operators.push(operator);
    return operator;
  }

  /* The one way to another status. */
  #move(task, status, ...notices) {
    task.status = status;
    task.trail.push(...notices);
    if (status === 'PENDING')
      task.operator = task.approveBy = null;
  }

  #refund(task) {
    task.agent.escrow -= task.reward + task.fee;
    task.agent.deposit += task.reward + task.fee;
  }

  #credit(task, amount, available) {
    task.earning = { operator: task.operator, amount, available, state: 'pending' };
    task.operator.pending += amount;
    task.operator.earned += amount;
  }

  #pay(task, now) {
    task.agent.escrow -= task.reward + task.fee;
    task.isPaid = true;
    this.#credit(task, task.reward, now + HOLD);
  }

  #settle(earning) {
    earning.state = 'available';
    earning.operator.pending -= earning.amount;
    earning.operator.available += earning.amount;
  }

  /* agents */

  /* Gives the task as well, which the caller names when it knows the answer. */
  create(agent, { reward, deadline, now }) {
    if (agent.isSuspended)
      return no(403, 'agent_suspended');
    if (deadline <= now || reward < 10_00)
      return no(400, 'validation_failed');
    const tier = TIERS[agent.tier], midnight = now - now % DAY;
    const month = this.tasks.filter((t) => t.agent === agent && t.created > now - 30 * DAY);
    const today = month.filter((t) => t.created >= midnight);
    const sum = (tasks) => tasks.filter((t) => t.status !== 'CANCELLED').reduce((all, t) => all + t.reward, 0);
    if (reward > tier.task || today.length >= tier.tasks || sum(today) + reward > tier.spend)
      return no(403, 'tier_limit_exceeded');
    const fee = feeOf(reward, sum(month));
    if (agent.deposit < reward + fee)
      return no(402, 'insufficient_balance');
    const task = { agent, reward, fee, deadline, created: now, status: 'PENDING', operator: null, trail: ['task.created'],
      approveBy: null, reviewBy: null, decision: null, rated: false, isExpired: false, isPaid: false, earning: null, unsafe: new Set() };
    agent.deposit -= reward + fee;
    agent.escrow += reward + fee;
    this.tasks.push(task);
    return { ...yes(201), task };
  }

  /* What comes before any call of an agent about a task. */
  #agentFault(agent, task) {
    if (agent.isSuspended)
      return no(403, 'agent_suspended');
    return task.agent === agent ? null : no(404, 'task_not_found');
  }

  approve(agent, task) {
    const fault = this.#agentFault(agent, task);
    if (fault || task.status !== 'ESTIMATE_PENDING')
      return fault ?? conflict();
    this.#move(task, 'ACCEPTED', 'task.estimate_approved');
    return yes();
  }

  reject(agent, task) {
    const fault = this.#agentFault(agent, task);
    if (fault || task.status !== 'ESTIMATE_PENDING')
      return fault ?? conflict();
    this.#move(task, 'PENDING', 'task.estimate_rejected');
    return yes();
  }

  cancel(agent, task) {
    const fault = this.#agentFault(agent, task);
    if (fault || !['PENDING', 'ESTIMATE_PENDING', 'ACCEPTED'].includes(task.status))
      return fault ?? conflict();
    this.#move(task, 'CANCELLED', 'task.cancelled');
    this.#refund(task);
    return yes();
  }

  verify(agent, task, { decision, now }) {
    const fault = this.#agentFault(agent, task);
    if (fault || task.status !== 'SUBMITTED')
      return fault ?? conflict();
    if (decision === 'APPROVE') {
      this.#move(task, 'COMPLETED', 'task.completed');
      this.#pay(task, now);
    } else {
      this.#move(task, 'DISPUTED', 'task.disputed');
    }
    return yes();
  }

  dispute(agent, task, { now }) {
    const fault = this.#agentFault(agent, task);
    if (fault || task.status !== 'COMPLETED')
      return fault ?? conflict();
    if (task.earning.state !== 'pending' || task.earning.available <= now)
      return no(409, 'hold_over');
    this.#move(task, 'DISPUTED', 'task.disputed');
    task.earning.state = 'frozen';
    return yes();
  }

  rate(agent, task) {
    const fault = this.#agentFault(agent, task);
    if (fault || task.status !== 'COMPLETED')
      return fault ?? conflict();
    if (task.rated)
      return no(409, 'already_rated');
    task.rated = true;
    return yes();
  }

  receipt(agent, task) {
    const fault = this.#agentFault(agent, task);
    return fault ?? (task.status === 'COMPLETED' ? yes() : conflict());
  }

  agentMessage(agent, task) {
    const fault = this.#agentFault(agent, task);
    if (fault || !task.operator)
      return fault ?? no(409, 'no_operator');
    task.trail.push('task.message');
    return yes(201);
  }

  agentRead(agent, task) {
    return this.#agentFault(agent, task) ?? yes();
  }

  /* operators */

  isOpen(task, now) {
    return task.status === 'PENDING' && task.deadline > now;
  }

  accept(operator, task, { now }) {
    if (operator.isSuspended)
      return no(403, 'operator_suspended');
    if (operator.kyc !== 'VERIFIED')
      return no(403, 'kyc_required');
    if (task.isExpired || (['PENDING', 'ESTIMATE_PENDING'].includes(task.status) && task.deadline <= now))
      return no(410, 'task_expired');
    if (task.status !== 'PENDING')
      return conflict();
    this.#move(task, 'ESTIMATE_PENDING', 'task.claimed');
    task.operator = operator;
    task.approveBy = now + APPROVAL;
    return yes();
  }

  /* Others' work is none of an operator's business; an open task is everybody's. */
  #operatorFault(operator, task) {
    if (operator.isSuspended)
      return no(403, 'operator_suspended');
    return task.operator === operator || task.status === 'PENDING' ? null : no(404, 'task_not_found');
  }

  withdraw(operator, task) {
    const fault = this.#operatorFault(operator, task);
    if (fault || task.status !== 'ESTIMATE_PENDING')
      return fault ?? conflict();
    this.#move(task, 'PENDING', 'task.claim_withdrawn');
    return yes();
  }

  start(operator, task) {
    const fault = this.#operatorFault(operator, task);
    if (fault || task.status !== 'ACCEPTED')
      return fault ?? conflict();
    this.#move(task, 'IN_PROGRESS', 'task.started');
    return yes();
  }

  submit(operator, task, { now }) {
    const fault = this.operatorRead(operator, task, { now });
    if (fault.status !== 200 || !['ACCEPTED', 'IN_PROGRESS'].includes(task.status))
      return fault.status !== 200 ? fault : conflict();
    if (task.deadline + GRACE <= now)
      return no(410, 'task_expired');
    this.#move(task, 'SUBMITTED', 'task.submitted');
    task.reviewBy = now + REVIEW;
    return yes();
  }

  /* Whoever stops pays nothing; the third who does not feel safe ends the task. */
  abort(operator, task, { reason }) {
    const fault = this.#operatorFault(operator, task);
    if (fault || !['ACCEPTED', 'IN_PROGRESS'].includes(task.status))
      return fault ?? conflict();
    this.#move(task, 'PENDING', 'task.aborted');
    if (reason === 'unsafe')
      task.unsafe.add(operator);
    if (task.unsafe.size === 3) {
      this.#move(task, 'CANCELLED', 'task.cancelled');
      this.#refund(task);
    }
    return yes();
  }

  operatorMessage(operator, task) {
    if (operator.isSuspended)
      return no(403, 'operator_suspended');
    if (task.operator !== operator)
      return no(404, 'task_not_found');
    task.trail.push('task.message');
    return yes(201);
  }

  operatorRead(operator, task, { now }) {
    if (operator.isSuspended)
      return no(403, 'operator_suspended');
    return task.operator === operator || this.isOpen(task, now) ? yes() : no(404, 'task_not_found');
  }

  /* Guardian, staff, time */

  /* An agent that was faster has the word. */
  judge(task, confidence, now) {
    const had = task.decision;
    task.decision = confidence >= 90 ? 'APPROVE' : confidence >= 50 ? 'MANUAL_REVIEW' : 'REJECT';
    if (task.status !== 'SUBMITTED' || had === 'MANUAL_REVIEW')
      return;
    if (task.decision === 'APPROVE') {
      this.#move(task, 'COMPLETED', 'task.verified', 'task.completed');
      this.#pay(task, now);
    } else if (task.decision === 'REJECT') {
      this.#move(task, 'DISPUTED', 'task.disputed');
    } else {
      task.trail.push('task.manual_review');
      task.reviewBy = now + REVIEW;
    }
  }

  /* The fee goes back with the whole reward alone. */
  resolve(task, { resolution, split, now }) {
    if ((resolution === 'SPLIT') !== (split !== undefined))
      return no(400, 'validation_failed');
    if (resolution === 'SPLIT' && split >= task.reward)
      return no(400, 'split_invalid');
    if (task.status !== 'DISPUTED')
      return conflict();
    const keep = resolution === 'PAY_OPERATOR' ? task.reward : resolution === 'SPLIT' ? split : 0;
    const back = task.reward - keep + (keep === 0 ? task.fee : 0);
    task.agent.deposit += back;
    if (!task.isPaid) {
      task.agent.escrow -= task.reward + task.fee;
      if (keep > 0)
        this.#credit(task, keep, now);
    } else {
      const { earning } = task;
      earning.operator.pending -= earning.amount - keep;
      earning.operator.earned -= earning.amount - keep;
      earning.amount = keep;
      earning.state = 'returned';
      if (keep > 0)
        this.#settle(earning);
    }
    task.isPaid ||= keep > 0;
    this.#move(task, keep === 0 ? 'CANCELLED' : 'COMPLETED', keep === 0 ? 'task.cancelled' : 'task.completed');
    return yes();
  }

  #sweepTask(task, now) {
    if (task.status === 'ESTIMATE_PENDING' && task.approveBy <= now && task.deadline > now)
      this.#move(task, 'PENDING', 'task.estimate_expired');
    const end = { PENDING: task.deadline, ESTIMATE_PENDING: task.deadline, ACCEPTED: task.deadline + GRACE,
      IN_PROGRESS: task.deadline + GRACE }[task.status];
    if (end <= now) {
      this.#move(task, 'CANCELLED', 'task.cancelled');
      task.isExpired = true;
      this.#refund(task);
    } else if (task.status === 'SUBMITTED' && task.reviewBy <= now) {
      this.#move(task, 'COMPLETED', 'task.completed');
      this.#pay(task, now);
    }
  }

  sweep(now) {
    this.tasks.forEach((task) => this.#sweepTask(task, now));
    this.tasks.map((t) => t.earning).filter((e) => e?.state === 'pending' && e.available <= now).forEach((e) => this.#settle(e));
  }
}
