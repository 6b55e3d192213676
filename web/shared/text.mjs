/*
 * All that an app says, in one catalogue for each language: { key: 'Hello {name}' }, or by number
 * { key: { one: '{n} photo', other: '{n} photos' } } with the number in {n}.  English is whole; a language that lacks a
 * sentence borrows the English one.
 */

const STORE = 'humanops.language';

function stored() {
  try {
    return globalThis.localStorage?.getItem(STORE) ?? null;
  } catch {
    return null; /* storage may be forbidden; the browser's language serves */
  }
}

/* The first wished language that there is: 'es-MX' takes 'es'.  English if none is. */
export function chooseLanguage(available, wished) {
  for (const tag of wished.filter(Boolean)) {
    const low = String(tag).toLowerCase();
    const found =
      available.find((a) => a.toLowerCase() === low) ?? available.find((a) => a.toLowerCase() === low.split('-')[0]);
    if (found !== undefined) return found;
  }
  return available.includes('en') ? 'en' : available[0];
}

/* A key that no catalogue has is a fault: tests throw, a page says so in its log and shows the key. */
function missing(key, isStrict) {
  if (isStrict) throw new Error(`there is no text for ${key}`);
  console.error(`there is no text for ${key}`);
  return key;
}

/* texts({ en, es }): { t, language, languages, choose }.  choose(tag) remembers and takes effect at once. */
export function texts(
  catalogues,
  {
    wished = [stored(), ...(globalThis.navigator?.languages ?? [])],
    isStrict = globalThis.document === undefined,
  } = {},
) {
  const languages = Object.keys(catalogues);
  let language = chooseLanguage(languages, wished),
    plural = new Intl.PluralRules(language);

  function t(key, params = {}) {
    let found = catalogues[language][key] ?? catalogues.en?.[key];
    if (found !== null && typeof found === 'object') found = found[plural.select(params.n)] ?? found.other;
    if (found === undefined) return missing(key, isStrict);
    return found.replace(/\{(\w+)\}/g, (whole, name) =>
      name in params ? String(params[name]) : missing(`${key} {${name}}`, isStrict),
    );
  }

  return {
    t,
    languages,
    get language() {
      return language;
    },
    choose(tag) {
      language = chooseLanguage(languages, [tag]);
      plural = new Intl.PluralRules(language);
      try {
        globalThis.localStorage?.setItem(STORE, language);
      } catch {
        /* then for this visit only */
      }
      return language;
    },
  };
}
