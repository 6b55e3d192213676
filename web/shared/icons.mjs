/* Line drawings on a field of 24 units, in the colour of the text around them; decoration, so screen readers pass them by. */
import { s } from './dom.mjs';

const PATHS = {
  home: ['M4 11l8-7 8 7', 'M6 9.5V20h12V9.5'],
  tasks: ['M9 6h11', 'M9 12h11', 'M9 18h11', 'M4 6l1 1 1.5-2', 'M4 12l1 1 1.5-2', 'M4 18l1 1 1.5-2'],
  add: ['M12 5v14', 'M5 12h14'],
  money: ['M3 7h18v10H3z', 'M12 14.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z', 'M6 10v4', 'M18 10v4'],
  key: ['M8 15a4 4 0 1 0 0-8 4 4 0 0 0 0 8z', 'M12 11h9', 'M18 11v3.5', 'M21 11v2.5'],
  wallet: ['M4 7a2 2 0 0 1 2-2h11v3', 'M4 7v10a2 2 0 0 0 2 2h14V8H6a2 2 0 0 1-2-1z', 'M16.5 13.5h.01'],
  hook: ['M9 8.5a3.5 3.5 0 1 1 5 3.2L17 17', 'M17 17a2.5 2.5 0 1 1-2.3 3.5H9', 'M9.5 12L7 16.5', 'M9 20.5A3.5 3.5 0 1 1 7 16.5'],
  people: ['M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z', 'M2.5 20c.5-4 3-6 6.500-6s6 2 6.500 6', 'M16 4.500a3.500 3.500 0 0 1 0 6', 'M18 14.500c2 .8 3.200 2.600 3.500 5.500'],
  scale: ['M12 4v16', 'M7 20h10', 'M5 7h14', 'M5 7l-3 7h6z', 'M19 7l-3 7h6z'],
  book: ['M5 4h13v16H6.500A1.500 1.500 0 0 1 5 18.500z', 'M5 18.500A1.500 1.500 0 0 1 6.500 17H18', 'M9 8h5'],
  log: ['M6 3h9l4 4v14H6z', 'M15 3v4h4', 'M9 12h7', 'M9 16h7'],
  shield: ['M12 3l8 3v5c0 5-3.500 8.500-8 10-4.500-1.500-8-5-8-10V6z', 'M9 12l2 2 4-4'],
  ban: ['M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z', 'M6 6l12 12'],
  flag: ['M5 21V4', 'M5 4h12l-2 4 2 4H5'],
  pulse: ['M3 12h4l3-7 4 14 3-7h4'],
  menu: ['M4 7h16', 'M4 12h16', 'M4 17h16'],
  out: ['M10 4H5v16h5', 'M14 8l4 4-4 4', 'M18 12H9'],
  send: ['M4 12l16-8-6 16-3-6z'],
};

export const icon = (name, size = 20) => s('svg', { width: size, height: size, viewBox: '0 0 24 24', fill: 'none', stroke: 'currentColor', 'stroke-width': 1.75,
  'stroke-linecap': 'round', 'stroke-linejoin': 'round', 'aria-hidden': 'true', focusable: 'false' }, PATHS[name].map((d) => s('path', { d })));
