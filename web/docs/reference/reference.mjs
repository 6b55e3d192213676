/* The API reference: Redoc over /openapi.json, in the colours of our own theme, light or dark. */
import { applyTheme } from '/shared/widgets.mjs';

const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/* Redoc's theme in our tokens.  It computes shades from colours, so these are colours and no variables. */
function theme() {
  const ink = token('ink'),
    soft = token('ink-soft'),
    surface = token('surface'),
    sunken = token('sunken'),
    line = token('line'),
    accent = token('accent');
  return {
    breakpoints: { medium: '60rem', large: '80rem' },
    colors: {
      primary: { main: accent },
      success: { main: token('good') },
      warning: { main: token('warn') },
      error: { main: token('bad') },
      text: { primary: ink, secondary: soft },
      border: { dark: line, light: line },
      responses: {
        success: { color: token('good'), backgroundColor: token('good-soft') },
        error: { color: token('bad'), backgroundColor: token('bad-soft') },
        redirect: { color: token('info'), backgroundColor: token('info-soft') },
        info: { color: token('info'), backgroundColor: token('info-soft') },
      },
      http: {
        get: '#12693b',
        post: '#1d4f91',
        put: '#7a4b00',
        patch: '#7a4b00',
        delete: '#a3241c',
        options: '#4c5b55',
        basic: '#4c5b55',
        link: '#4c5b55',
        head: '#4c5b55',
      },
    },
    schema: {
      nestedBackground: sunken,
      typeNameColor: soft,
      typeTitleColor: soft,
      requireLabelColor: token('bad'),
      linesColor: line,
      arrow: { color: soft },
    },
    typography: {
      fontSize: '1rem',
      lineHeight: '1.55',
      fontFamily: token('sans'),
      optimizeSpeed: false,
      headings: { fontFamily: token('sans'), fontWeight: '650', lineHeight: '1.25' },
      code: { fontFamily: token('mono'), fontSize: '0.875rem', color: ink, backgroundColor: sunken, wrap: false },
      links: {
        color: accent,
        visited: accent,
        hover: token('accent-strong'),
        textDecoration: 'underline',
        hoverTextDecoration: 'underline',
      },
    },
    sidebar: {
      width: '17rem',
      backgroundColor: surface,
      textColor: ink,
      activeTextColor: token('accent-strong'),
      arrow: { color: soft },
    },
    rightPanel: { backgroundColor: '#1b2622', textColor: '#e7eeeb', width: '38%' },
    codeBlock: { backgroundColor: '#111916' },
  };
}

const options = {
  scrollYOffset: 'header.top',
  disableGoogleFont: true,
  disableSearch: true,
  hideLogo: true,
  nativeScrollbars: true,
  hideDownloadButtons: false,
  sortRequiredPropsFirst: true,
  generatedSamplesMaxDepth: 3,
  jsonSamplesExpandLevel: 3,
  expandResponses: '',
  hideSchemaTitles: true,
  hideSchemaPattern: true,
};

/*
 * What Redoc leaves to be wished for by screen readers: headings of parts of a call are a level below the call's, an item of
 * the menu is called by what stands in it, and a sample wider than its column is scrolled by the keyboard.  Parts come into being
 * when they are opened, so it is looked for again and again.
 */
function mend(place) {
  for (const heading of place.querySelectorAll('h5:not([aria-level])')) {
    heading.setAttribute('role', 'heading');
    heading.setAttribute('aria-level', '3');
  }
  for (const item of place.querySelectorAll('[role="menuitem"][aria-label]')) item.removeAttribute('aria-label');
  for (const sample of place.querySelectorAll('pre:not([tabindex])')) sample.tabIndex = 0;
}

/* Lays it out anew in whatever colours hold now. */
async function draw(description) {
  const place = document.createElement('div');
  document.querySelector('#reference').replaceChildren(place);
  await new Promise((done) => {
    globalThis.Redoc.init(description, { ...options, theme: theme() }, place, done);
  });
  mend(place);
  new MutationObserver(() => mend(place)).observe(place, { childList: true, subtree: true });
  document.documentElement.dataset.ready = 'true';
}

applyTheme();
const description = await (await fetch('/openapi.json')).json();
await draw(description);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => draw(description));
