"""Simple names that Java resolves to ``java.lang`` without an import."""

JAVA_LANG = frozenset(
    """Appendable AutoCloseable CharSequence Cloneable Comparable Iterable Process ProcessBuilder ProcessHandle Readable
    Record Runnable Boolean Byte Character Class ClassLoader ClassValue Double Enum Float InheritableThreadLocal Integer
    Long Math Module ModuleLayer Number Object Package Runtime RuntimePermission SecurityManager Short StackTraceElement
    StackWalker StrictMath String StringBuffer StringBuilder System Thread ThreadGroup ThreadLocal Throwable Void
    ArithmeticException ArrayIndexOutOfBoundsException ArrayStoreException ClassCastException ClassNotFoundException
    CloneNotSupportedException Exception IllegalAccessException IllegalArgumentException IllegalMonitorStateException
    IllegalStateException IndexOutOfBoundsException InstantiationException InterruptedException
    NegativeArraySizeException NoSuchFieldException NoSuchMethodException NullPointerException NumberFormatException
    ReflectiveOperationException RuntimeException SecurityException StringIndexOutOfBoundsException
    UnsupportedOperationException Error AssertionError LinkageError OutOfMemoryError StackOverflowError
    VirtualMachineError Deprecated FunctionalInterface Override SafeVarargs SuppressWarnings""".split()
)
