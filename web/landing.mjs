/* The landing page: its commands name this installation and a deadline to come. */
import { deadlineFrom } from '/docs/docs-rules.mjs';

for (const span of document.querySelectorAll('[data-origin]')) span.textContent = location.origin;
for (const span of document.querySelectorAll('[data-deadline]')) span.textContent = deadlineFrom(Date.now());
