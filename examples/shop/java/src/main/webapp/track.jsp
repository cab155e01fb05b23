<%@ page contentType="text/html;charset=UTF-8" import="org.apache.commons.text.StringEscapeUtils" %>
<html>
<head><title>Track a parcel</title></head>
<body>
<p>No parcel has the number <%= request.getParameter("number") %>.</p>
<p>Ask us about <%= StringEscapeUtils.escapeHtml4(request.getParameter("number")) %>.</p>
</body>
</html>
