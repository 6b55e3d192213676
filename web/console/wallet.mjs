/*
 * An injected wallet (EIP-1193): which account, on which chain, a signature, a transfer of tokens.  Nothing here
 * holds a key, and every step is one that the wallet itself shows to its owner.
 */
import { hexOf, isAddress, isHash, transferData } from './rules.mjs';

const REFUSED = 4001,
  UNKNOWN_CHAIN = 4902;

/* What a wallet's error means to a person. */
function told(error) {
  if (error?.code === REFUSED) return new Error('You declined this in the wallet.', { cause: error });
  if (error?.code === UNKNOWN_CHAIN)
    return new Error('The wallet does not know this chain. Add it there, then try again.', { cause: error });
  return new Error(`The wallet says: ${String(error?.message ?? error).slice(0, 200)}`, { cause: error });
}

export class Wallet {
  #provider;

  constructor(provider) {
    this.#provider = provider;
  }

  async #ask(method, params = []) {
    try {
      return await this.#provider.request({ method, params });
    } catch (error) {
      throw told(error);
    }
  }

  /* The account that the owner lets this page see. */
  async connect() {
    const [account] = (await this.#ask('eth_requestAccounts')) ?? [];
    if (!isAddress(account)) throw new Error('The wallet gave no account.');
    return account;
  }

  async useChain(id) {
    const wanted = `0x${id.toString(16)}`;
    if (Number(await this.#ask('eth_chainId')) === id) return;
    await this.#ask('wallet_switchEthereumChain', [{ chainId: wanted }]);
    if (Number(await this.#ask('eth_chainId')) !== id) throw new Error('The wallet stayed on another chain.');
  }

  /* EIP-191, personal_sign: 65 bytes in hex. */
  async sign(message, account) {
    const signature = await this.#ask('personal_sign', [hexOf(message), account]);
    if (!/^0x[0-9a-f]{130}$/i.test(signature ?? '')) throw new Error('The wallet gave no signature of 65 bytes.');
    return signature;
  }

  /* Sends units of a token; the transaction's hash. */
  async transfer({ from, token, to, units }) {
    if (!isAddress(token)) throw new Error('The token’s address is not one.');
    const hash = await this.#ask('eth_sendTransaction', [
      { from, to: token, value: '0x0', data: transferData(to, units) },
    ]);
    if (!isHash(hash)) throw new Error('The wallet gave no transaction hash.');
    return hash;
  }
}

/* Wallets that answer to EIP-6963, and whatever stands at window.ethereum. */
export function findWallets(target = globalThis) {
  const found = new Map();
  const note = (event) => {
    const { info, provider } = event.detail ?? {};
    if (typeof provider?.request === 'function' && info?.uuid)
      found.set(info.uuid, { name: String(info.name ?? 'Wallet').slice(0, 60), provider });
  };
  target.addEventListener('eip6963:announceProvider', note);
  target.dispatchEvent(new Event('eip6963:requestProvider'));
  target.removeEventListener('eip6963:announceProvider', note);
  if (found.size === 0 && typeof target.ethereum?.request === 'function')
    found.set('injected', { name: 'Browser wallet', provider: target.ethereum });
  return [...found.values()];
}
