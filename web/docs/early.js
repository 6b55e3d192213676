/* Runs before the page is painted: what docs.mjs is about to fold away is not shown first. */
document.documentElement.classList.add('scripted');
