/*
 * Signing in at an OpenID provider: authorization code with PKCE (RFC 6749, 7636, 9207, 9700; OpenID Connect Core 3.1).
 *
 * Tokens live in memory, the refresh token beside them in sessionStorage: there it outlives a reload and the update of the app,
 * but neither the tab nor a copy of the device's disk, and no other tab sees it.  They never go into IndexedDB, so what waits in
 * the outbox asks for a token when it is sent.
 */

const PENDING = 'humanops.sign-in',
  REFRESH = 'humanops.refresh';
const EARLY_MS = 20_000; /* a token this close to its end is renewed first */
const CLOCK_SLACK_S = 300;

/* `code`: discovery_failed, denied, state_mismatch, issuer_mismatch, token_refused, id_token_invalid, offline, expired. */
export class SignInError extends Error {
  constructor(code, detail = '', cause) {
    super(detail ? `${code}: ${detail}` : code, { cause });
    this.name = 'SignInError';
    this.code = code;
    this.detail = detail;
  }
}

const base64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
const random = () => base64url(globalThis.crypto.getRandomValues(new Uint8Array(32)));
const bare = (issuer) => issuer.replace(/\/$/, '');

export async function challengeOf(verifier) {
  return base64url(await globalThis.crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier)));
}

function claimsOf(token) {
  try {
    const bytes = Uint8Array.from(atob(token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/')), (c) =>
      c.charCodeAt(0),
    );
    return { ...JSON.parse(new TextDecoder().decode(bytes)) };
  } catch (cause) {
    throw new SignInError('id_token_invalid', 'unreadable', cause);
  }
}

/* An ID token that came straight from the token endpoint over TLS needs no signature check (Core 3.1.3.7, 6), but all these. */
export function checkIdToken(token, { issuer, clientId, nonce, now = Date.now() }) {
  const claims = claimsOf(token),
    audience = [claims.aud].flat();
  if (claims.iss !== issuer) throw new SignInError('id_token_invalid', 'issuer');
  if (!audience.includes(clientId) || (audience.length > 1 && claims.azp !== clientId))
    throw new SignInError('id_token_invalid', 'audience');
  if (!(claims.exp + CLOCK_SLACK_S > now / 1000)) throw new SignInError('id_token_invalid', 'expired');
  if (claims.nonce !== nonce) throw new SignInError('id_token_invalid', 'nonce');
  return claims;
}

/* config: of GET /operator/settings; redirect: this page's own address; storage: sessionStorage. */
export class Oidc {
  #config;
  #redirect;
  #storage;
  #fetch;
  #provider = null;
  #access = null; /* { token, until } */
  #idToken = null;
  claims = {}; /* of the ID token: what the provider calls the person */
  #refreshing = null;

  constructor({ config, redirect, storage, fetch = (...a) => globalThis.fetch(...a) }) {
    this.#config = config;
    this.#redirect = redirect;
    this.#storage = storage;
    this.#fetch = fetch;
  }

  /* True if a token can be had without the person. */
  get isSignedIn() {
    return this.#access !== null || this.#storage.getItem(REFRESH) !== null;
  }

  async #discover() {
    if (this.#provider) return this.#provider;
    const url = `${bare(this.#config.issuer)}/.well-known/openid-configuration`;
    const provider = await this.#json(url, {}, 'discovery_failed');
    /* Whose document this is, it must say itself (Discovery 4.3), but for the slash that some leave out. */
    if (bare(provider.issuer ?? '') !== bare(this.#config.issuer))
      throw new SignInError('issuer_mismatch', String(provider.issuer));
    if (!provider.authorization_endpoint || !provider.token_endpoint)
      throw new SignInError('discovery_failed', 'no endpoints');
    this.#provider = provider;
    return provider;
  }

  async #json(url, options, code) {
    let answer;
    try {
      answer = await this.#fetch(url, {
        credentials: 'omit',
        cache: 'no-store',
        referrerPolicy: 'no-referrer',
        ...options,
      });
    } catch (cause) {
      throw new SignInError('offline', '', cause);
    }
    const json = await answer.json().catch(() => ({}));
    if (!answer.ok) {
      const error = new SignInError(code, json.error_description ?? json.error ?? `status ${answer.status}`);
      error.status = answer.status;
      throw error;
    }
    return json;
  }

  /* The address to send the person to; remembers what the way back must match.  after: where in the app to go then. */
  async begin(after = '') {
    const provider = await this.#discover();
    const pending = { state: random(), nonce: random(), verifier: random(), after };
    this.#storage.setItem(PENDING, JSON.stringify(pending));
    const { client_id, scope, audience } = this.#config;
    const url = new URL(provider.authorization_endpoint);
    for (const [name, value] of Object.entries({
      client_id,
      scope,
      response_type: 'code',
      redirect_uri: this.#redirect,
      state: pending.state,
      nonce: pending.nonce,
      code_challenge: await challengeOf(pending.verifier),
      code_challenge_method: 'S256',
    }))
      url.searchParams.set(name, value);
    /* offline_access is given only to someone who is asked (Core 11). */
    if (scope.split(' ').includes('offline_access')) url.searchParams.set('prompt', 'consent');
    /* RFC 8707 takes URIs; others are named as Auth0 and its like do. */
    if (audience) url.searchParams.set(/^[a-z][a-z0-9+.-]*:/i.test(audience) ? 'resource' : 'audience', audience);
    return url.href;
  }

  /*
   * The way back: takes what the provider put into the page's address.  null if it is no way back at all, else where in the app
   * the person was going.  The remembered state is spent, whatever comes of it.
   */
  async finish(query) {
    const params = new URLSearchParams(query);
    if (!params.has('state') || !(params.has('code') || params.has('error'))) return null;
    const pending = JSON.parse(this.#storage.getItem(PENDING) ?? 'null');
    this.#storage.removeItem(PENDING);
    if (pending === null || params.get('state') !== pending.state) throw new SignInError('state_mismatch');
    const provider = await this.#discover();
    /* Against a mix-up with another provider (RFC 9207). */
    const iss = params.get('iss');
    if (iss !== null ? iss !== provider.issuer : provider.authorization_response_iss_parameter_supported === true)
      throw new SignInError('issuer_mismatch', iss ?? 'missing');
    if (params.has('error')) throw new SignInError('denied', params.get('error_description') ?? params.get('error'));
    await this.#ask(
      {
        grant_type: 'authorization_code',
        code: params.get('code'),
        redirect_uri: this.#redirect,
        code_verifier: pending.verifier,
      },
      pending.nonce,
    );
    return pending.after;
  }

  async #ask(form, nonce) {
    const provider = await this.#discover(),
      { client_id, audience } = this.#config;
    const resource = audience && /^[a-z][a-z0-9+.-]*:/i.test(audience) ? { resource: audience } : {};
    const got = await this.#json(
      provider.token_endpoint,
      {
        method: 'POST',
        body: new URLSearchParams({ ...form, ...resource, client_id }),
      },
      'token_refused',
    );
    if (nonce !== undefined) {
      if (!got.id_token) throw new SignInError('id_token_invalid', 'missing');
      this.claims = checkIdToken(got.id_token, { issuer: provider.issuer, clientId: client_id, nonce });
    }
    if (typeof got.access_token !== 'string') throw new SignInError('token_refused', 'no access token');
    this.#access = { token: got.access_token, until: Date.now() + (got.expires_in ?? 300) * 1000 };
    this.#idToken = got.id_token ?? this.#idToken;
    /* A provider that rotates them takes the old one no more. */
    if (got.refresh_token) this.#storage.setItem(REFRESH, got.refresh_token);
  }

  /* A token that is good now.  SignInError `expired`: the person must sign in again; `offline`: later. */
  async token() {
    if (this.#access !== null && this.#access.until - EARLY_MS > Date.now()) return this.#access.token;
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = null;
    });
    await this.#refreshing;
    return this.#access.token;
  }

  async #refresh() {
    const refresh = this.#storage.getItem(REFRESH);
    if (refresh === null) {
      this.#access = null;
      throw new SignInError('expired');
    }
    try {
      await this.#ask({ grant_type: 'refresh_token', refresh_token: refresh });
    } catch (error) {
      if (error.code !== 'token_refused' || !(error.status >= 400 && error.status < 500) || error.status === 429)
        throw error;
      this.#forget();
      throw new SignInError('expired', error.detail, error);
    }
  }

  /* The API refused the token before its time. */
  drop() {
    this.#access = null;
  }

  #forget() {
    this.#access = null;
    this.#storage.removeItem(REFRESH);
  }

  /* Ends it here and, as far as the provider takes part, there: the address to go to, or null. */
  async end() {
    const refresh = this.#storage.getItem(REFRESH),
      idToken = this.#idToken;
    this.#forget();
    this.#idToken = null;
    const provider = await this.#discover().catch(() => null);
    if (refresh !== null && provider?.revocation_endpoint)
      await this.#fetch(provider.revocation_endpoint, {
        method: 'POST',
        credentials: 'omit',
        body: new URLSearchParams({
          token: refresh,
          token_type_hint: 'refresh_token',
          client_id: this.#config.client_id,
        }),
      }).catch(() => null);
    if (!provider?.end_session_endpoint) return null;
    const url = new URL(provider.end_session_endpoint);
    url.searchParams.set('client_id', this.#config.client_id);
    url.searchParams.set('post_logout_redirect_uri', this.#redirect);
    if (idToken) url.searchParams.set('id_token_hint', idToken);
    return url.href;
  }
}
