'use strict';

const { randomUUID } = require('crypto');
const express = require('express');
const cookieParser = require('cookie-parser');
const escapeHtml = require('escape-html');
const { customers } = require('./routes/customers');
const preferences = require('./preferences');

const app = express();
app.use(express.json());
app.use(cookieParser());
app.use('/customers', customers);

const CAMPAIGNS = { spring: '/offers/spring', clearance: '/offers/clearance' };

app.get('/search', (req, res) => {
  res.send(`<p>Nothing found for ${req.query.q}</p>`);
});

app.get('/search/safe', (req, res) => {
  res.send(`<p>Nothing found for ${escapeHtml(req.query.q)}</p>`);
});

app.get('/campaign', (req, res) => {
  res.redirect(req.query.to);
});

app.get('/campaign/safe', (req, res) => {
  res.redirect(CAMPAIGNS[req.query.to] || '/');
});

app.post('/welcome', (req, res) => {
  res.cookie('session', randomUUID(), { httpOnly: false, secure: false });
  res.sendStatus(204);
});

app.post('/welcome/safe', (req, res) => {
  res.cookie('session', randomUUID(), { httpOnly: true, secure: true, sameSite: 'lax' });
  res.sendStatus(204);
});

app.post('/preferences', (req, res) => {
  res.json(preferences.merge({}, req.body));
});

app.post('/preferences/safe', (req, res) => {
  res.json(preferences.mergeSafely({}, req.body));
});

app.get('/coupon', (req, res) => {
  res.json({ valid: preferences.looksLikeCoupon(String(req.query.code)) });
});

app.get('/coupon/safe', (req, res) => {
  res.json({ valid: preferences.looksLikeCouponSafely(String(req.query.code)) });
});

app.listen(8080);
