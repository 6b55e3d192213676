/*
 * Points inside the database at which a test can stop whoever comes by: triggers that exist in the test's own database alone and take
 * a lock which the test may hold.  Programs know nothing of it.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { once } from 'node:events';
import { after } from 'node:test';
import { until } from '../stack.mjs';

/* name: timing, event and table, and when.  A deferred one stops at commit, past which there is no way back. */
const gates = {
  nonce: { lock: 7001, trigger: 'after insert or update on nonces', when: 'true' },
  signing: { lock: 7002, trigger: 'before insert on payout_transactions', when: 'true' },
  storing: { lock: 7003, trigger: 'after insert on payout_transactions', when: 'true', isDeferred: true },
  completing: { lock: 7004, trigger: 'before update on payouts', when: "new.status = 'completed'" },
  completed: { lock: 7005, trigger: 'after update on payouts', when: "new.status = 'completed'", isDeferred: true },
};

class Gates {
  #s;
  #psql;
  #lines;

  constructor(s) {
    this.#s = s;
    this.#psql = spawn('psql', ['-XAtq', '-h', s.settings.RUN_DIR, '-U', 'postgres', '-d', 'humanops'],
      { stdio: ['pipe', 'pipe', 'ignore'] });
    this.#lines = createInterface(this.#psql.stdout);
    /* It may have gone with its server. */
    this.#psql.stdin.on('error', () => {});
    after(() => this.#psql.stdin.end());
  }

  /* In the one session that holds the locks. */
  async #say(text) {
    const answered = once(this.#lines, 'line');
    this.#psql.stdin.write(`select 'done' from ${text};\n`);
    await answered;
  }

  shut(name) {
    return this.#say(`pg_advisory_lock(${gates[name].lock})`);
  }

  open(name) {
    return this.#say(`pg_advisory_unlock(${gates[name].lock})`);
  }

  /* Somebody stands before it. */
  async reached(name) {
    const waiting = `select 1 as found from pg_locks where locktype = 'advisory' and objid = ${gates[name].lock} and not granted`;
    await until(async () => (await this.#s.sql(waiting)).length > 0);
  }
}

/* To be called outside of tests: it ends with the file's last one. */
export async function gatesOf(s) {
  /* With its owner's rights: a deferred one runs at commit, where the program's role may take no such lock. */
  await s.sql(`create function test_gate() returns trigger language plpgsql security definer as
    $$begin perform pg_advisory_xact_lock_shared(tg_argv[0]::bigint); return new; end$$`);
  for (const [name, { lock, trigger, when, isDeferred }] of Object.entries(gates))
    await s.sql(`create ${isDeferred ? 'constraint' : ''} trigger test_${name} ${trigger}
      ${isDeferred ? 'deferrable initially deferred' : ''}
      for each row when (${when}) execute function test_gate('${lock}')`);
  return new Gates(s);
}
