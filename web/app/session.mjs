/*
 * Who is at work here: signed in at the configured issuer, or, in development, an operator picked by id.  Knows how a request
 * says so; what the operator is called and may do is asked of the API.
 */
import { Oidc, SignInError } from './oidc.mjs';

const CURRENT = 'humanops.dev.operator',
  KNOWN = 'humanops.dev.operators';

/* Storage may be forbidden; what was to be remembered then lasts as long as the page. */
function memory() {
  const map = new Map();
  return {
    getItem: (key) => map.get(key) ?? null,
    setItem: (key, value) => map.set(key, value),
    removeItem: (key) => map.delete(key),
  };
}

function usable(name) {
  try {
    const storage = globalThis[name];
    storage.setItem('humanops.try', '1');
    storage.removeItem('humanops.try');
    return storage;
  } catch {
    return memory();
  }
}

export class Session {
  #local;
  #oidc = null;

  constructor({
    settings,
    redirect = new URL('/app/', globalThis.location?.href ?? 'https://localhost/').href,
    local = usable('localStorage'),
    session = usable('sessionStorage'),
    fetch,
  }) {
    this.#local = local;
    this.canPick = settings.dev_sign_in;
    if (settings.sign_in)
      this.#oidc = new Oidc({ config: settings.sign_in, redirect, storage: session, ...(fetch ? { fetch } : {}) });
  }

  get canSignIn() {
    return this.#oidc !== null;
  }

  get isSignedIn() {
    return this.picked !== null || (this.#oidc?.isSignedIn ?? false);
  }

  /* What the issuer calls the person, to begin a profile with. */
  get claims() {
    const { name, email } = this.#oidc?.claims ?? {};
    return { name, email };
  }

  /* Development: the operator that was picked, or null. */
  get picked() {
    return this.canPick ? this.#local.getItem(CURRENT) : null;
  }

  /* The headers of a request.  Throws SignInError: `expired` if nobody is signed in any more. */
  async headers() {
    if (this.picked) return { 'X-Operator-Id': this.picked };
    if (this.#oidc?.isSignedIn) return { Authorization: `Bearer ${await this.#oidc.token()}` };
    /* A newcomer in development registers before there is anybody to name. */
    if (this.canPick) return {};
    throw new SignInError('expired');
  }

  /* Development: operators that this browser made, { id, name }, the last one first. */
  known() {
    try {
      return JSON.parse(this.#local.getItem(KNOWN) ?? '[]');
    } catch {
      return [];
    }
  }

  pick(id, name = null) {
    const others = this.known().filter((operator) => operator.id !== id);
    this.#local.setItem(CURRENT, id);
    if (name !== null) this.#local.setItem(KNOWN, JSON.stringify([{ id, name }, ...others].slice(0, 10)));
  }

  /* Off to the issuer; the page is left. */
  async go(after) {
    globalThis.location.assign(await this.#oidc.begin(after));
  }

  /* Back from the issuer: null if this is no way back, else where in the app to go on. */
  async back(query) {
    return this.#oidc === null ? null : this.#oidc.finish(query);
  }

  /* The API did not believe the token; the next request brings a new one. */
  refused() {
    this.#oidc?.drop();
  }

  /* Signs out; gives the address to go to, or null. */
  async end() {
    const wasPicked = this.picked !== null;
    this.#local.removeItem(CURRENT);
    return wasPicked ? null : ((await this.#oidc?.end()) ?? null);
  }
}
