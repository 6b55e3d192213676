/* What the app needs to start and to work without a network; tests/web/app-files.test.mjs sees that nothing is missing. */
export const files = [
  '/app/index.html', '/app/app.css', '/app/manifest.webmanifest', '/app/icon-192.png', '/app/badge-96.png',
  '/app/app.mjs', '/app/camera.mjs', '/app/credential.mjs', '/app/earnings.mjs', '/app/exif.mjs', '/app/frame.mjs', '/app/job.mjs', '/app/map.mjs', '/app/messages.mjs',
  '/app/oidc.mjs', '/app/onboarding.mjs', '/app/outbox.mjs', '/app/parts.mjs', '/app/payout.mjs', '/app/photos.mjs', '/app/profile.mjs', '/app/proof.mjs', '/app/push.mjs', '/app/redraw.mjs',
  '/app/rules.mjs', '/app/seal.mjs', '/app/session.mjs', '/app/settings.mjs', '/app/sign-in.mjs', '/app/store.mjs', '/app/task.mjs', '/app/tasks.mjs',
  '/app/text.en.mjs', '/app/text.es.mjs', '/app/update.mjs', '/app/upload.mjs', '/app/work.mjs', '/app/worklist.mjs',
  '/shared/api.mjs', '/shared/dom.mjs', '/shared/format.mjs', '/shared/icons.mjs', '/shared/mark.svg', '/shared/route.mjs', '/shared/table.mjs',
  '/shared/text.mjs', '/shared/theme.css', '/shared/widgets.mjs',
];
