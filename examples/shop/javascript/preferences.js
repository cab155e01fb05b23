'use strict';

/** Copies the customer's settings over the defaults, level by level. */
function merge(target, source) {
  for (const key of Object.keys(source)) {
    if (typeof source[key] === 'object' && source[key] !== null) {
      target[key] = merge(target[key] || {}, source[key]);
    } else {
      target[key] = source[key];
    }
  }
  return target;
}

function mergeSafely(target, source) {
  for (const key of Object.keys(source)) {
    if (key === '__proto__' || key === 'constructor' || key === 'prototype') {
      continue;
    }
    if (typeof source[key] === 'object' && source[key] !== null) {
      target[key] = mergeSafely(target[key] || {}, source[key]);
    } else {
      target[key] = source[key];
    }
  }
  return target;
}

/** Whether the text has the form of a coupon code: groups of letters and digits. */
function looksLikeCoupon(code) {
  return /^([A-Z0-9]+-?)+$/.test(code);
}

function looksLikeCouponSafely(code) {
  return /^[A-Z0-9]{1,8}(-[A-Z0-9]{1,8}){0,5}$/.test(code);
}

module.exports = { merge, mergeSafely, looksLikeCoupon, looksLikeCouponSafely };
